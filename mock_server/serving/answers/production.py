"""Requests that were meant for the production API: a real credential may have come here."""

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
    bearer = request.header("authorization").partition(" ")[2].strip()
    if not bearer.startswith("eyJ") or len(bearer) > _LONGEST:
        return ""
    from pytest_turris.core.access.jws import unverified  # noqa: PLC0415 - it needs cryptography

    claims = unverified(bearer)
    for name in ("iss", "aud"):
        if HOSTS["production"] in str(claims.get(name)).lower():
            return f"its bearer token names the production API ({name}); {_ADVICE}"
    return ""
