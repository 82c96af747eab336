"""Authentication: get an access token, test a token, get the signing keys."""

from typing import Any, ClassVar

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import operation
from pytest_turris.core.resources.record import WireModel
from pytest_turris.core.wire.messages import TOKEN_REQUEST
from pytest_turris.core.wire.model import RequestModel

TEST_MESSAGE = "If you see this message, your access token works."
"""The documented text is cut off after "If you see this"; the rest is assumed."""

RESTRICTED_TEST_MESSAGE = "If you see this message, your restricted access token works."
"""The documentation only names this operation; its answer is assumed."""


class GetTokenDto(RequestModel):
    """The body of ``POST /v1/auth/jwt`` (documented schema)."""

    client_id: str
    client_secret: str


class TokenResponse(WireModel):
    """The access token and its lifetime in seconds (documented).

    The sample of guides/authentication has neither lifetime nor type.
    """

    not_relied_on: ClassVar[frozenset[str]] = frozenset({"expires_in", "token_type"})

    access_token: str
    expires_in: int
    token_type: str


class MessageResponse(WireModel):
    """A text to read (documented)."""

    message: str


@operation(
    "POST",
    TOKEN_REQUEST[1],
    summary="Exchange client credentials for a JWT access token",
    tag="auth",
    page="authentication/get-oauth-token",
    status=201,
    access="public",
    operation_id="AuthController_getToken_v1",
    body=GetTokenDto,
    errors=(401,),
)
def get_oauth_token(call: Call) -> TokenResponse:
    """Exchange ``clientId`` and ``clientSecret`` for an access token."""
    body = call.body(GetTokenDto)
    known = call.credentials.client(body.client_id)
    # Unknown ids share one window, so that they are not stored.
    call.spend("token", known.client_id if known else "unknown clientId")
    client = call.credentials.authenticate(body.client_id, body.client_secret, call.environment)
    token = call.tokens.issue(client)
    call.identify(client, token)
    return TokenResponse(
        access_token=token.text,
        expires_in=int((token.expires_at - token.issued_at).total_seconds()),
        token_type="Bearer",
    )


@operation(
    "GET",
    "/v1/auth/test-oauth",
    summary="Test an access token",
    tag="auth",
    page="authentication (guide)",
    access="oauth",
    operation_id="AuthController_testOauth_v1",
    operation_id_documented=False,
    enveloped=False,
    status_provenance="assumed",
)
def test_oauth(call: Call) -> MessageResponse:  # noqa: ARG001 - every operation takes its call
    """Confirm that the access token works; the guide shows no envelope."""
    return MessageResponse(message=TEST_MESSAGE)


@operation(
    "GET",
    "/v1/auth/test-restricted-access-token",
    summary="Test a restricted access token",
    tag="auth",
    page="authentication (guide)",
    access="restricted",
    operation_id="AuthController_testRestrictedAccessToken_v1",
    operation_id_documented=False,
    enveloped=False,
    provenance="assumed",
    status_provenance="assumed",
)
def test_restricted_access_token(
    call: Call,  # noqa: ARG001 - every operation takes its call
) -> MessageResponse:
    """Confirm that the restricted access token works from this address."""
    return MessageResponse(message=RESTRICTED_TEST_MESSAGE)


@operation(
    "GET",
    "/.well-known/jwks.json",
    summary="The public signing keys of access tokens",
    tag="auth",
    access="public",
    operation_id="AuthController_getJwks_v1",
    operation_id_documented=False,
    enveloped=False,
    documented=False,
    provenance="assumed",
    status_provenance="assumed",
)
def jwks(call: Call) -> dict[str, Any]:
    """Get the public signing keys as a JWK Set, RFC 7517 (assumed to exist)."""
    return call.tokens.jwks()
