"""Requests that were meant for the production API: a real credential may have come here."""

from typing import Any

from pytest_turris.core.wire.hosts import HOSTS, environment_of
from pytest_turris.core.wire.messages import Request

_LONGEST = 16_384
_ADVICE = "a real credential may have come here by mistake: look at the client's base URL"


def meant_for_production(request: Request) -> str:
    """Why a request looks as if it was meant for the production API; empty if it does not.

    Its ``Host`` is that of production, or its bearer token names production as its issuer or
    audience. No part of the token is repeated.
    """
    if environment_of(request.host, "sandbox") == "production":
        return f"its Host is that of the production API; {_ADVICE}"
    claims = _unverified_claims(request.header("authorization").partition(" ")[2].strip())
    for name in ("iss", "aud"):
        if HOSTS["production"] in str(claims.get(name)).lower():
            return f"its bearer token names the production API ({name}); {_ADVICE}"
    return ""


def _unverified_claims(text: str) -> dict[str, Any]:
    """The claims of a JWT, or none: nothing is believed, the request is refused already."""
    if not text.startswith("eyJ") or len(text) > _LONGEST:
        return {}
    # A server answers its first requests without it.
    import jwt  # noqa: PLC0415 - as above

    try:
        return dict(jwt.decode(text, options={"verify_signature": False}))
    except (jwt.PyJWTError, ValueError, RecursionError):
        return {}
