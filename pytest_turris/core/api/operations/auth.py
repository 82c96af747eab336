"""Authentication: a token for credentials, and a test of the token."""

from typing import Any

from pytest_turris.core.api.call import Call
from pytest_turris.core.resources.collection import WireModel
from pytest_turris.core.wire.model import RequestModel

TEST_MESSAGE = "If you see this message, your access token works."
"""The documented text is cut off after "If you see this"; the rest is assumed."""

RESTRICTED_TEST_MESSAGE = "If you see this message, your restricted access token works."
"""Nothing of this operation is visible but that it exists."""


class GetTokenDto(RequestModel):
    """The body of ``POST /v1/auth/jwt`` (documented schema)."""

    client_id: str
    client_secret: str


class TokenResponse(WireModel):
    """The access token and how long it holds, in seconds (documented)."""

    access_token: str
    expires_in: int
    token_type: str


class MessageResponse(WireModel):
    """A text for humans."""

    message: str


def get_oauth_token(call: Call) -> TokenResponse:
    """Exchange ``clientId`` and ``clientSecret`` for an access token."""
    body = call.body(GetTokenDto)
    known = call.credentials.client(body.client_id)
    # Ids that the sandbox did not issue share one window: what they are is not kept.
    call.spend("token", known.client_id if known else "unknown clientId")
    client = call.credentials.authenticate(body.client_id, body.client_secret, call.environment)
    token = call.tokens.issue(client)
    call.identify(client, token)
    return TokenResponse(
        access_token=token.text,
        expires_in=int((token.expires_at - token.issued_at).total_seconds()),
        token_type="Bearer",
    )


def oauth_test(_: Call) -> MessageResponse:
    """Tell that the access token works; printed without an envelope in the guide."""
    return MessageResponse(message=TEST_MESSAGE)


def restricted_token_test(_: Call) -> MessageResponse:
    """Tell that the restricted access token works from this address."""
    return MessageResponse(message=RESTRICTED_TEST_MESSAGE)


def jwks(call: Call) -> dict[str, Any]:
    """The public signing keys as a JWK Set, RFC 7517 (assumed to exist)."""
    return call.tokens.jwks()
