"""API clients and restricted access tokens: list, issue, rotate, revoke.

A secret is shown once, when it is issued; a list shows its last four characters.
"""

from typing import Literal

from pydantic import Field

from mock_server.control.control import ControlCall, control
from mock_server.control.models import (
    Duration,
    Listing,
    Moment,
    Nothing,
    Parameters,
    Result,
    no_time,
)
from pytest_turris.core.access.credential import (
    ApiClient,
    Credential,
    Permission,
    RestrictedAccessToken,
)
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.text.redaction import mask
from pytest_turris.core.wire.hosts import Environment

_ALL: list[Permission] = ["read", "write"]


class CredentialShown(Result):
    """A credential without its secret. The id of a restricted access token is its masked text."""

    id: str
    kind: Literal["api client", "restricted access token"]
    environment: Environment
    permissions: list[Permission]
    revoked: bool
    is_default: bool
    secret: str
    """The last four characters."""
    previous_valid_until: Moment | None = None
    allowed: list[str] | None = None


class IssuedClient(Result):
    """An API client with its secret, which is shown only once."""

    client_id: str
    client_secret: str
    environment: Environment
    permissions: list[Permission]
    previous_valid_until: Moment | None = None


class IssuedToken(Result):
    """A restricted access token, which is shown only once."""

    id: str
    token: str
    allowed: list[str]
    environment: Environment
    permissions: list[Permission]


class IssueClient(Parameters):
    """The permissions of a new API client."""

    environment: Environment = Field("sandbox", description="The environment that it belongs to.")
    permissions: list[Permission] = Field(_ALL, description="Its permissions.")


class IssueRestricted(IssueClient):
    """The permissions of a new restricted access token, and the addresses that may use it."""

    allowed: list[str] = Field(
        default=[],
        max_length=100,
        description="IP addresses or networks such as 10.0.0.0/8; an empty list allows all.",
    )


class ClientId(Parameters):
    """Which API client."""

    id: str | None = Field(None, max_length=200, description="The clientId; the default client's.")


class Rotate(ClientId):
    """Which API client, and how long its old secret stays valid."""

    overlap: Duration = no_time("How long the old secret stays valid.")


class CredentialId(Parameters):
    """Which credential."""

    id: str = Field(
        min_length=1,
        max_length=200,
        description="The clientId, or the masked text of a restricted access token.",
    )


@control("credentials", "list", "GET", "/credentials", words=("credentials",))
def list_credentials(call: ControlCall, given: Nothing) -> Listing[CredentialShown]:
    """List the API clients and restricted access tokens, without their secrets."""
    del given
    found = [_shown(call, one) for one in _all(call)]
    return Listing(total=len(found), items=found)


@control("credentials", "issue", "POST", "/credentials", status=201, issues=True)
def _issue(call: ControlCall, given: IssueClient) -> IssuedClient:
    """Issue a further API client."""
    client = call.tenant.sandbox.credentials.issue(
        environment=given.environment, permissions=given.permissions
    )
    return _issued(client)


@control(
    "credentials", "issue-restricted", "POST", "/credentials/restricted", status=201, issues=True
)
def issue_restricted(call: ControlCall, given: IssueRestricted) -> IssuedToken:
    """Issue a restricted access token, for an allowlist of addresses."""
    token = call.tenant.sandbox.credentials.issue_restricted(
        allowed=given.allowed, environment=given.environment, permissions=given.permissions
    )
    return IssuedToken(
        id=token.name,
        token=str(token.token),
        allowed=list(token.allowed),
        environment=token.environment,
        permissions=sorted(token.permissions),
    )


@control(
    "credentials",
    "rotate",
    "POST",
    "/credentials/rotate",
    positional=("id",),
    issues=True,
)
def rotate(call: ControlCall, given: Rotate) -> IssuedClient:
    """Give an API client a new secret; its tokens stay valid until they expire."""
    sandbox = call.tenant.sandbox
    client = sandbox.credentials.client(given.id) if given.id else sandbox.client
    if client is None:
        raise UnknownRecordError("no API client with that id; list them with GET /credentials")
    return _issued(sandbox.credentials.rotate(client, overlap=given.overlap or None))


@control("credentials", "revoke", "POST", "/credentials/{id}/revoke")
def _revoke(call: ControlCall, given: CredentialId) -> CredentialShown:
    """Refuse a credential, and every token issued for it from now on."""
    found = [one for one in _all(call) if one.name == given.id]
    if not found:
        raise UnknownRecordError("no credential with that id; list them with GET /credentials")
    for one in found:
        call.tenant.sandbox.credentials.revoke(one)
    return _shown(call, found[0])


ROWS = (list_credentials, _issue, issue_restricted, rotate, _revoke)


def _all(call: ControlCall) -> list[Credential]:
    credentials = call.tenant.sandbox.credentials
    return [*credentials, *credentials.restricted]


def _issued(client: ApiClient) -> IssuedClient:
    return IssuedClient(
        client_id=client.client_id,
        client_secret=str(client.client_secret),
        environment=client.environment,
        permissions=sorted(client.permissions),
        previous_valid_until=client.previous_until,
    )


def _shown(call: ControlCall, credential: Credential) -> CredentialShown:
    is_restricted = isinstance(credential, RestrictedAccessToken)
    return CredentialShown(
        id=credential.name,
        kind="restricted access token" if is_restricted else "api client",
        environment=credential.environment,
        permissions=sorted(credential.permissions),
        revoked=credential.revoked,
        is_default=credential is call.tenant.sandbox.client,
        secret=mask(
            credential.token
            if isinstance(credential, RestrictedAccessToken)
            else credential.client_secret
        ),
        previous_valid_until=getattr(credential, "previous_until", None),
        allowed=list(credential.allowed) if isinstance(credential, RestrictedAccessToken) else None,
    )
