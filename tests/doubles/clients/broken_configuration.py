"""How a client reads its configuration and its token: one bug in each."""

import os
from datetime import datetime, timedelta
from typing import Any

import jwt

from .client_steps import ApiError, Token, UnexpectedAnswerError
from .good_client import GoodClient


class PlainHttp(GoodClient):
    """TC-17."""

    def checked_url(self, url: str) -> str:
        """Not checked."""
        return url


class NoVerify(GoodClient):
    """TC-18."""

    verify = False


class SecretReadOnce(GoodClient):
    """TC-24."""

    def credentials(self) -> dict[str, str]:
        """As they were at the start."""
        if not hasattr(self, "known"):
            self.known = super().credentials()
        return self.known


class PinsTheKey(GoodClient):
    """TC-25: the token is checked against the key that was known."""

    def read_token(self, document: Any, asked_at: datetime) -> Token:
        """With its kid."""
        token = super().read_token(document, asked_at)
        kid = jwt.get_unverified_header(token.text)["kid"]
        if getattr(self, "kid", kid) != kid:
            raise UnexpectedAnswerError("signed with another key")
        self.kid = kid
        return token


class BelievesClaims(GoodClient):
    """TC-26: exp of the unverified token."""

    def lifetime(self, text: str, expires_in: Any) -> timedelta:
        """Until exp; an hour if the token is not a JWT."""
        try:
            claims = jwt.decode(text, options={"verify_signature": False})
        except jwt.PyJWTError:
            return self.usual_life
        return timedelta(seconds=claims["exp"] - claims["iat"] if claims.get("exp") else 3600)


class AnyTokenType(GoodClient):
    """TC-27."""

    def check_type(self, kind: Any) -> None:
        """Not checked."""


class HardCoded(GoodClient):
    """TC-30."""

    def credentials(self) -> dict[str, str]:
        """With a default."""
        client_id = os.environ.get("TURRIS_CLIENT_ID", "turris_sandbox_client_default")
        return {"clientId": client_id, "clientSecret": os.environ.get("TURRIS_CLIENT_SECRET", "x")}


class ShowsOddSecrets(GoodClient):
    """TC-31."""

    def credentials(self) -> dict[str, str]:
        """With the value in the error."""
        value = os.environ.get("TURRIS_CLIENT_SECRET", "")
        if value != value.strip() or not value.isascii():
            raise ValueError(f"invalid secret {value!r}")
        return super().credentials()


class AlwaysSandbox(GoodClient):
    """TC-32: the host is in the code."""

    def checked_url(self, url: str) -> str:
        """Ignores the configured host."""
        local = "127.0.0.1" in url or "localhost" in url
        return super().checked_url(url) if local else "https://public.api.sandbox.turrisfi.com"


class VagueErrors(GoodClient):
    """TC-33."""

    def token_answer(self, limit: int) -> Any:
        """Every error is the same."""
        failed = False
        try:
            return (yield from super().token_answer(limit))
        except ApiError:
            failed = True
        if failed:
            raise UnexpectedAnswerError("something went wrong")
        return None


class BothCredentials(GoodClient):
    """TC-34."""

    def authorization(self, token: Token) -> dict[str, str]:
        """And the fallback."""
        return super().authorization(token) | {"x-restricted-access-token": "turris_sandbox_none"}


class TrustsNetrc(GoodClient):
    """TC-37: a .netrc entry is preferred."""

    trust_env = True

    def authorization(self, token: Token) -> dict[str, str]:
        """What requests does by itself, on every stack."""
        name = os.environ.get("NETRC")
        return (
            {"authorization": "Basic c29tZWJvZHk6ZWxzZQ=="}
            if name
            else super().authorization(token)
        )
