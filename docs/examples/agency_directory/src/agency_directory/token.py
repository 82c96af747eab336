"""Caches an access token and renews it before it expires."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from agency_directory.errors import TurrisError
from agency_directory.exchange import ATTEMPTS, Call, Flow, Locked, attempts
from agency_directory.settings import Settings

LIFETIME = timedelta(hours=1)
REFRESH_BUFFER = timedelta(minutes=5)
REFRESH_AGAIN_AFTER = timedelta(seconds=30)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Token:
    """A token. Its age is measured with our own clock; its content is opaque to us."""

    value: str = field(repr=False)
    issued_at: datetime
    lifetime: timedelta = LIFETIME

    @classmethod
    def from_wire(cls, data: Mapping[str, Any], issued_at: datetime) -> Self:
        """Read the token response; raise ValueError, without the value, for a bad one."""
        value = data["accessToken"]
        if not re.fullmatch(r"[!-~]{1,8192}", value):
            raise ValueError("the token does not fit in a header")
        if data.get("tokenType", "Bearer").lower() != "bearer":
            raise ValueError("the token is not a bearer token")
        return cls(value, issued_at, _lifetime(data.get("expiresIn")))

    def is_valid(self, now: datetime) -> bool:
        """Return whether Turris should accept it; False if the clock was set back."""
        return timedelta() <= now - self.issued_at < self.lifetime

    def is_due(self, now: datetime) -> bool:
        """Return whether it is time to renew it."""
        buffer = min(REFRESH_BUFFER, self.lifetime / 2)
        return now - self.issued_at > self.lifetime - buffer


def _lifetime(expires_in: object) -> timedelta:
    if not isinstance(expires_in, int | float) or isinstance(expires_in, bool):
        return LIFETIME
    return timedelta(seconds=expires_in) if 0 < expires_in <= 86_400 else LIFETIME


class TokenCache:
    """Requests one token for all threads or tasks that need it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token: Token | None = None
        self._postponed_to = NEVER

    def access_token(self) -> Flow[str]:
        """Return a token that can be sent now."""
        token = self._ready() or (yield Locked(self._renew()))
        return token.value

    def forget(self, value: str) -> None:
        """Forget a token that Turris refused."""
        if self._token is not None and self._token.value == value:
            self._token = None

    def _renew(self) -> Flow[Token]:
        if token := self._ready():  # another thread or task renewed it meanwhile
            return token
        spare = self._valid()
        try:
            token = yield from attempts(self._call(), limit=1 if spare else ATTEMPTS)
        except TurrisError as error:
            if spare is None or not error.transient:
                raise
            self._postponed_to = _now() + REFRESH_AGAIN_AFTER
            return spare
        self._token = token
        return token

    def _call(self) -> Call[Token]:
        asked_at = _now()  # before the request, so that the token is never older than we assume
        secret = self._settings.client_secret
        return Call(
            method="POST",
            path="/v1/auth/jwt",
            json={"clientId": self._settings.client_id, "clientSecret": secret},
            read=lambda data: Token.from_wire(data, asked_at),
            hide=(secret,),
            repeatable=True,
        )

    def _ready(self) -> Token | None:
        token = self._valid()
        now = _now()
        return token if token and (not token.is_due(now) or now < self._postponed_to) else None

    def _valid(self) -> Token | None:
        token = self._token
        return token if token and token.is_valid(_now()) else None


def _now() -> datetime:
    return datetime.now(UTC)
