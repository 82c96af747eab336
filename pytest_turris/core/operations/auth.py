"""Authentication: a token for credentials, and a test of the token."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from pytest_turris.core.call import Call

TEST_MESSAGE = "If you see this message, your access token works."
"""The documented text is cut off after "If you see this"; the rest is assumed."""


class GetTokenDto(BaseModel):
    """The body of ``POST /v1/auth/jwt`` (documented schema)."""

    model_config = ConfigDict(alias_generator=to_camel)

    client_id: str
    client_secret: str


def get_oauth_token(call: Call) -> dict[str, Any]:
    """Exchange ``clientId`` and ``clientSecret`` for an access token."""
    body = call.body(GetTokenDto)
    known = call.credentials.client(body.client_id)
    # Ids that the sandbox did not issue share one window: what they are is not kept.
    call.spend("token", known.client_id if known else "unknown clientId")
    client = call.credentials.authenticate(body.client_id, body.client_secret, call.environment)
    token = call.tokens.issue(client)
    call.identify(client, token)
    return {
        "accessToken": token.text,
        "expiresIn": int((token.expires_at - token.issued_at).total_seconds()),
        "tokenType": "Bearer",
    }


def oauth_test(_: Call) -> dict[str, Any]:
    """Tell that the access token works; printed without an envelope in the guide."""
    return {"message": TEST_MESSAGE}


def jwks(call: Call) -> dict[str, Any]:
    """The public signing keys as a JWK Set, RFC 7517 (assumed to exist)."""
    return call.tokens.jwks()
