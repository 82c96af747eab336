"""A client that does everything right, without I/O: it yields what is to be done.

The four stacks perform its steps; the broken clients override one method or flag of it.
"""

import json
import logging
import os
import re
import ssl
import uuid
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

ATTEMPTS = 3
LONGEST_PAUSE = 60.0
MACHINES_TRUST = os.environ.get("SSL_CERT_FILE")
LARGEST = 4 * 1024 * 1024

log = logging.getLogger("good_client")
for _noisy in ("httpx", "urllib3", "httpcore", "aiohttp", "asyncio"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)  # they log whole URLs


class ClientError(Exception):
    """The call failed."""

    status = 0
    transient = False


class SettingsError(ClientError):
    """The environment is not fit; the message never holds a value."""


class UnexpectedAnswerError(ClientError):
    """An answer that cannot be read."""


class LostError(ClientError):
    """No answer."""

    transient = True


class ApiError(ClientError):
    """An error that the API answered with."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.transient = status == 429 or status >= 500


@dataclass(frozen=True)
class Send:
    """A step: send a request; the reply is an Answer or a LostError."""

    method: str
    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Pause:
    """A step: wait."""

    seconds: float


@dataclass(frozen=True)
class Alone:
    """A step: run another flow while nobody else runs one."""

    flow: Any


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Any = field(repr=False)
    body: bytes = field(repr=False)


@dataclass
class Token:
    """A token, aged by our own clock."""

    text: str = field(repr=False)
    at: datetime
    lifetime: timedelta


Flow = Generator[Any, Any, Any]


class GoodClient:
    """Reads TURRIS_* from the environment; ``call`` and ``write`` are flows."""

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
                raise SettingsError(f"{name} is missing or holds characters that none has")
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
        """Get a token, unless somebody did while we waited."""
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
        """Read the answer, and keep nothing of what is not fit."""
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

    # Calls

    def call(self) -> Flow:
        """One GET."""
        return (yield from self.perform("GET", "/v1/agents?email=dana%40example.test"))

    def record(self) -> Flow:
        """One GET of one record."""
        agents = yield from self.perform("GET", "/v1/agents")
        wanted = agents[0]["agent"]["_id"]
        data = yield from self.perform("GET", f"/v1/agents/{wanted}")
        self.check_record(data, wanted)
        return data

    def check_record(self, data: Any, wanted: str) -> None:
        """The answer is about what was asked for."""
        if data["agent"]["_id"] != wanted:
            raise UnexpectedAnswerError("an answer about another record")

    def write(self) -> Flow:
        """One POST, a new operation each time."""
        return (yield from self.operation()())

    def operation(self) -> Callable[[], Flow]:
        """One POST, which is the same operation however often it is sent."""
        key, name = self.new_key(), f"ABC Insurance Agency {uuid.uuid4().hex[:8]}"
        return lambda: self.invite(self.key_for(key), name)

    def key_for(self, key: object) -> str:
        """The key of an operation: made when it was begun."""
        return str(key)

    def invite(self, key: str, name: str) -> Flow:
        """Send it."""
        yield from self.throttle()
        body = {
            "downstreamEntityName": name, "firstName": "Dana",
            "lastName": "Lee", "email": "dana.lee@abc.example", "category": "agency",
            "isNpnRequired": False, "useInviteUrl": True,
        }  # fmt: skip
        path = "/v1/downstream-entity-associations/invite"
        return (yield from self.perform("POST", path, self.key_headers(key), body))

    def new_key(self) -> object:
        """A key for one operation."""
        return uuid.uuid4()

    def key_headers(self, key: str) -> dict[str, str]:
        """How it is sent."""
        return {"idempotency-key": key}

    def throttle(self) -> Flow:
        """Keep to the documented limit by ourselves."""
        while self.recent and self.now() - self.recent[0] > timedelta(minutes=1):
            self.recent.popleft()
        if len(self.recent) >= self.writes_per_minute:
            left = timedelta(minutes=1) - (self.now() - self.recent.popleft())
            yield Pause(left.total_seconds() + 0.01)
        self.recent.append(self.now())

    def perform(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> Flow:
        """Make a call, once more with a new token if the first one is refused."""
        content = None if body is None else json.dumps(body).encode()
        more = dict(headers or {}) | ({"content-type": "application/json"} if body else {})
        token = yield from self.access_token()
        for last in self.tries():
            send = Send(method, self.url(path, token), more | self.authorization(token), content)
            try:
                return self.read((yield from self.attempts(send, ATTEMPTS, hide=(token.text,))))
            except ApiError as error:
                if last or not self.is_token_trouble(error):
                    raise
            self.forget(token)
            token = yield from self.access_token()
        return None

    def tries(self) -> tuple[bool, ...]:
        """Once, and once more; True is the last."""
        return (False, True)

    def is_token_trouble(self, error: ApiError) -> bool:
        """Whether a new token may help."""
        return error.status == 401

    def url(self, path: str, token: Token) -> str:
        """Where a call goes; the token has no part in it."""
        del token
        return self.base_url + path

    def authorization(self, token: Token) -> dict[str, str]:
        """The one header that carries it."""
        return {"authorization": f"Bearer {token.text}"}

    def attempts(self, send: Send, limit: int, hide: tuple[str, ...] = ()) -> Flow:
        """Send, and again where that is safe and may help."""
        attempt = 1
        while True:
            outcome = yield send
            self.note(send, outcome)
            error: ClientError
            if isinstance(outcome, LostError):
                error = outcome
            elif outcome.status in (200, 201):
                return self.parsed(outcome)
            else:
                error = ApiError(outcome.status, self.message(outcome, hide))
            if attempt >= limit or not self.may_repeat(send, error):
                raise error
            yield Pause(self.pause(attempt, outcome))
            if done := (yield from self.already_done(send)):
                return {"data": done}
            attempt += 1
            send = self.again(send)

    def already_done(self, send: Send) -> Flow:
        """What a write has left behind, if it took effect: Turris may have lost its key."""
        if not self.looks_first or "idempotency-key" not in send.headers:
            return None
        name = json.loads(send.body or b"")["downstreamEntityName"]
        headers = {"authorization": send.headers["authorization"]}
        answer = yield Send("GET", f"{self.base_url}/v1/downstream-entity-associations", headers)
        if not isinstance(answer, Answer) or answer.status != 200:
            return None
        found = self.parsed(answer)["data"]
        return next((a for a in found if a["downstreamEntity"]["legalName"] == name), None)

    def note(self, send: Send, outcome: Any) -> None:
        """Log what happened, without query, headers or body."""
        what = outcome.status if isinstance(outcome, Answer) else "no answer"
        log.info("%s %s: %s", send.method, urlsplit(send.url).path, what)

    def may_repeat(self, send: Send, error: ClientError) -> bool:
        """A GET, the token request, and a write that has a key."""
        safe = (
            send.method == "GET" or send.url.endswith("/jwt") or "idempotency-key" in send.headers
        )
        return safe and (error.status in self.retried or isinstance(error, LostError))

    def again(self, send: Send) -> Send:
        """What is sent in a retry: the same."""
        return send

    def pause(self, attempt: int, outcome: Any) -> float:
        """As told, within bounds; else doubling."""
        told = [self.usual_pause(attempt)]
        if isinstance(outcome, Answer):
            told += [self.until_reset(outcome), self.retry_after(outcome)]
        return min(max(told), LONGEST_PAUSE)

    def usual_pause(self, attempt: int) -> float:
        """One second, then two."""
        return float(2 ** (attempt - 1))

    def until_reset(self, answer: Answer) -> float:
        """Seconds until the window resets; 0 if that is not said."""
        reset = answer.headers.get("x-ratelimit-reset", "")
        return int(reset) - self.now().timestamp() if re.fullmatch(r"[0-9]{1,12}", reset) else 0.0

    def retry_after(self, answer: Answer) -> float:
        """Seconds, or a date; 0 if it is neither."""
        value = answer.headers.get("retry-after", "")
        if re.fullmatch(r"[0-9]{1,12}", value):
            return float(value)
        try:
            return (parsedate_to_datetime(value) - self.now()).total_seconds()
        except (TypeError, ValueError, OverflowError):
            return 0.0

    def message(self, answer: Answer, hide: tuple[str, ...]) -> str:
        """The API's words on one short line, without what must not be shown."""
        try:
            text = str(self.parsed(answer).get("errorMessage", "no message"))
        except ClientError:
            return "unreadable"
        for secret in hide:
            text = text.replace(secret, "***")
        return "".join(c if c.isprintable() else " " for c in text)[:200]

    def parsed(self, answer: Answer) -> dict[str, Any]:
        """The JSON object."""
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise UnexpectedAnswerError("an answer that is no JSON") from None
        if not isinstance(document, dict):
            raise UnexpectedAnswerError("an answer that is no JSON object")
        return document

    def read(self, document: dict[str, Any]) -> Any:
        """The data of a call."""
        data = document.get("data")
        if not isinstance(data, dict | list):
            raise UnexpectedAnswerError("an answer without data")
        return data
