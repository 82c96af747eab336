"""The part of the good client that reads its settings and keeps its token."""

import json
import os
import re
import ssl
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from .client_steps import (
    Alone,
    ClientError,
    Flow,
    LostError,
    Send,
    SettingsError,
    Token,
    UnexpectedAnswerError,
)

ATTEMPTS = 3
MACHINES_TRUST = os.environ.get("SSL_CERT_FILE")
LARGEST = 4 * 1024 * 1024


class GoodTokens:
    """Reads TURRIS_* from the environment, and gives a token when one is needed."""

    follow_redirects = False
    verify = True
    timeout: float | None = 5.0
    deadline: float | None = 20.0
    largest: int | None = LARGEST
    keep_partial = False
    trust_env = False
    keep_cookies = False
    exclusive = True
    fork_safe = True
    looks_first = True
    blocking = False
    swallows = False
    one_loop = False
    buffer = timedelta(minutes=5)
    usual_life = timedelta(hours=1)
    writes_per_minute = 60
    retried = frozenset({429, 500, 502, 503, 504})

    def __init__(self) -> None:
        self.base_url = self.checked_url(os.environ.get("TURRIS_BASE_URL", ""))
        self.credentials()
        self.token: Token | None = None
        self.postponed = datetime.min.replace(tzinfo=UTC)
        self.recent: deque[datetime] = deque()

    # Settings

    def checked_url(self, url: str) -> str:
        """HTTPS, or this machine."""
        parts = urlsplit(url)
        local = parts.hostname in ("127.0.0.1", "localhost")
        if not (parts.scheme == "https" or (parts.scheme == "http" and local)):
            raise SettingsError("TURRIS_BASE_URL is not HTTPS")
        return url.rstrip("/")

    def credentials(self) -> dict[str, str]:
        """Read each time, so that a rotated secret is picked up."""
        names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
        found = {}
        for key, name in names.items():
            value = os.environ.get(name, "").strip(" \t\r\n")
            if not re.fullmatch(r"[!-~]+", value):
                raise SettingsError(f"{name} is missing or has characters that no credential has")
            found[key] = value
        return found

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.now(UTC)

    def context(self) -> ssl.SSLContext | None:
        """Trust in the authority that the environment names, if it is not the machine's own."""
        file = os.environ.get("SSL_CERT_FILE")
        if not self.verify or file in (None, MACHINES_TRUST):
            return None
        return ssl.create_default_context(cafile=file)

    def check_bounds(self, size: int, seconds: float) -> None:
        """No answer is read for ever, in bytes or in time."""
        if self.largest is not None and size > self.largest:
            raise LostError("an answer of more than 4 MB")
        if self.deadline is not None and seconds > self.deadline:
            raise LostError("an answer that takes too long")

    # The token

    def is_valid(self, token: Token) -> bool:
        """Whether Turris should still take it; not if the clock was set back."""
        return timedelta(0) <= self.now() - token.at < token.lifetime

    def is_due(self, token: Token) -> bool:
        """Whether it is to be replaced."""
        return self.now() - token.at > token.lifetime - min(self.buffer, token.lifetime / 2)

    def ready(self) -> Token | None:
        """The token, if it may be used as it is."""
        token = self.token
        if token is None or not self.is_valid(token):
            return None
        return None if self.is_due(token) and self.now() >= self.postponed else token

    def access_token(self) -> Flow:
        """The token to send now."""
        if token := self.ready():
            return token
        return (yield Alone(self.renew())) if self.exclusive else (yield from self.renew())

    def renew(self) -> Flow:
        """Get a token, unless another caller got one while this one waited."""
        if self.exclusive and (token := self.ready()):
            return token
        spare = self.spare()
        asked_at = self.now()
        try:
            answer = yield from self.token_answer(1 if spare else ATTEMPTS)
            self.token = self.read_token(answer, asked_at)
        except ClientError as error:
            if spare is None or not error.transient:
                raise
            self.postpone()
            return spare
        return self.token

    def spare(self) -> Token | None:
        """What can be used if no new token is to be had."""
        return self.token if self.token and self.is_valid(self.token) else None

    def postpone(self) -> None:
        """Try again in half a minute, not with each call."""
        self.postponed = self.now() + timedelta(seconds=30)

    def token_answer(self, limit: int) -> Flow:
        """Ask the token endpoint."""
        credentials = self.credentials()
        send = Send(
            "POST", self.base_url + self.token_path(), {"content-type": "application/json"},
            json.dumps(credentials).encode(),
        )  # fmt: skip
        return (yield from self.attempts(send, limit, hide=(credentials["clientSecret"],)))

    def token_path(self) -> str:
        """Where tokens are got."""
        return "/v1/auth/jwt"

    def read_token(self, document: Any, asked_at: datetime) -> Token:
        """Read the answer; an unfit one changes nothing."""
        data = document.get("data")
        text = data.get("accessToken") if isinstance(data, dict) else None
        if not isinstance(text, str) or not re.fullmatch(r"[!-~]{8,16384}", text):
            raise UnexpectedAnswerError("no token that fits into a header")
        self.check_type(data.get("tokenType"))
        return Token(text, self.issued_at(asked_at), self.lifetime(text, data.get("expiresIn")))

    def check_type(self, kind: Any) -> None:
        """Bearer, in any case; absent means the same."""
        if kind is not None and str(kind).lower() != "bearer":
            raise UnexpectedAnswerError("not a bearer token")

    def issued_at(self, asked_at: datetime) -> datetime:
        """The moment before the request: a token is never younger than that."""
        return asked_at

    def lifetime(self, text: str, expires_in: Any) -> timedelta:
        """What the answer says, if it is sensible."""
        del text
        if type(expires_in) in (int, float) and 0 < expires_in <= 86_400:
            return timedelta(seconds=expires_in)
        return self.usual_life

    def forget(self, token: Token) -> None:
        """Turris refused it."""
        if self.token is token:
            self.token = None

    def attempts(self, send: Send, limit: int, hide: tuple[str, ...] = ()) -> Flow:
        """Send, and again where that is safe and may help."""
        raise NotImplementedError
