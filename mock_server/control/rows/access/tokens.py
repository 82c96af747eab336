"""Access tokens: list, issue, revoke, forge. A token's text is shown once, when it is issued."""

from typing import Any, Literal

from pydantic import Field

from mock_server.control.control import ControlCall, control
from mock_server.control.models import (
    Counted,
    Duration,
    Listing,
    Moment,
    Nothing,
    Parameters,
    Part,
    Result,
    part,
)
from pytest_turris.core.access.credential import ApiClient
from pytest_turris.core.access.flaws import Flaw
from pytest_turris.core.access.tokens import AccessToken, Tokens
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.text.redaction import mask
from pytest_turris.core.wire.hosts import Environment


class TokenShown(Result):
    """An access token without its text."""

    token_id: str
    token: str
    """The last four characters."""
    client_id: str
    environment: Environment
    issued_at: Moment
    refresh_at: Moment
    expires_at: Moment
    state: Literal["valid", "refresh due", "expired", "revoked"]
    uses: int
    """How many exchanges in the journal carried it."""


class IssuedAccessToken(Result):
    """An access token, which is shown only once."""

    access_token: str
    token_id: str
    expires_at: Moment


class ForgedToken(Result):
    """A token that the sandbox refuses."""

    access_token: str
    flaw: Flaw


class KeySet(Result):
    """The public keys as a JWK Set (RFC 7517)."""

    keys: list[dict[str, Any]]


class TokenFilters(Part):
    """Which tokens."""

    client_id: str | None = Field(None, max_length=200, description="Those of one API client.")


class IssueToken(Parameters):
    """Which token."""

    client_id: str | None = Field(
        None, max_length=200, description="The API client; the default one if not given."
    )
    ttl: Duration | None = Field(None, description="How long it is valid; the option token_ttl.")


class ForgeToken(Parameters):
    """Which flaw."""

    flaw: Flaw = Field(description="What is wrong with the token.")
    client_id: str | None = Field(
        None, max_length=200, description="The API client that it claims to belong to."
    )


class TokenId(Parameters):
    """Which token."""

    token_id: str = Field(min_length=1, max_length=64, description="The token's jti.")


@control("tokens", "list", "GET", "/tokens", words=("tokens",))
def list_tokens(call: ControlCall, given: TokenFilters) -> Listing[TokenShown]:
    """List the access tokens, oldest first, with the times of their issue, refresh and expiry."""
    found = [one for one in call.tenant.sandbox.tokens if given.client_id in (None, one.client_id)]
    shown = part(found, given)
    return Listing(total=shown["total"], items=[_shown(call, one) for one in shown["items"]])


@control("tokens", "issue", "POST", "/tokens", status=201, issues=True)
def _issue(call: ControlCall, given: IssueToken) -> IssuedAccessToken:
    """Issue an access token, without a token request."""
    client = _client(call, given.client_id)
    token = call.tenant.sandbox.tokens.issue(client, ttl=given.ttl)
    return IssuedAccessToken(
        access_token=str(token.text), token_id=token.jti, expires_at=token.expires_at
    )


@control("tokens", "forge", "POST", "/tokens/forge", positional=("flaw",), issues=True)
def forge(call: ControlCall, given: ForgeToken) -> ForgedToken:
    """Make a token with one flaw; the sandbox refuses each with its own reason."""
    client = _client(call, given.client_id)
    text = call.tenant.sandbox.tokens.forge(given.flaw, client=client)
    return ForgedToken(access_token=str(text), flaw=given.flaw)


@control("tokens", "revoke", "POST", "/tokens/{tokenId}/revoke")
def _revoke(call: ControlCall, given: TokenId) -> TokenShown:
    """Refuse one access token from now on."""
    tokens = call.tenant.sandbox.tokens
    for token in tokens:
        if token.jti == given.token_id:
            tokens.revoke(token)
            return _shown(call, token)
    raise UnknownRecordError("no token with that tokenId; list them with GET /tokens")


@control("tokens", "revoke-all", "POST", "/tokens/revoke-all")
def revoke_all(call: ControlCall, given: Nothing) -> Counted:
    """Refuse every access token issued so far."""
    del given
    tokens = call.tenant.sandbox.tokens
    valid = sum(not token.revoked for token in tokens)
    tokens.revoke_all()
    return Counted(count=valid)


@control("tokens", "keys", "GET", "/tokens/keys")
def keys(call: ControlCall, given: Nothing) -> KeySet:
    """Show the public keys that verify access tokens."""
    del call, given
    return KeySet(keys=Tokens.jwks()["keys"])


ROWS = (list_tokens, keys, _issue, forge, revoke_all, _revoke)


def _client(call: ControlCall, client_id: str | None) -> ApiClient:
    sandbox = call.tenant.sandbox
    client = sandbox.client if client_id is None else sandbox.credentials.client(client_id)
    if client is None:
        raise UnknownRecordError("no API client with that clientId; list them: GET /credentials")
    return client


def _shown(call: ControlCall, token: AccessToken) -> TokenShown:
    sandbox = call.tenant.sandbox
    now, refresh_at = sandbox.clock.now(), token.expires_at - sandbox.options.refresh_buffer
    state: Literal["valid", "refresh due", "expired", "revoked"] = "valid"
    if token.revoked:
        state = "revoked"
    elif now >= token.expires_at:
        state = "expired"
    elif now > refresh_at:
        state = "refresh due"
    return TokenShown(
        token_id=token.jti,
        token=mask(token.text),
        client_id=token.client_id,
        environment=token.environment,
        issued_at=token.issued_at,
        refresh_at=refresh_at,
        expires_at=token.expires_at,
        state=state,
        uses=sum(exchange.token_id == token.jti for exchange in sandbox.journal),
    )
