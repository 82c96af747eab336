"""A client that does everything right, without I/O: it yields the steps to perform.

The four stacks perform its steps; the broken clients override one method or flag of it.
"""

import json
import logging
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from .client_steps import (
    Answer,
    ApiError,
    ClientError,
    Flow,
    LostError,
    Pause,
    Send,
    Token,
    UnexpectedAnswerError,
)
from .good_tokens import ATTEMPTS, GoodTokens

LONGEST_PAUSE = 60.0

log = logging.getLogger("good_client")
for _noisy in ("httpx", "urllib3", "httpcore", "aiohttp", "asyncio"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)  # they log whole URLs


class GoodClient(GoodTokens):
    """``call`` and ``write`` are flows of steps."""

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
        """The request of a retry: the same one."""
        return send

    def pause(self, attempt: int, outcome: Any) -> float:
        """As the answer asks, within bounds; otherwise doubling."""
        asked = [self.usual_pause(attempt)]
        if isinstance(outcome, Answer):
            asked += [self.until_reset(outcome), self.retry_after(outcome)]
        return min(max(asked), LONGEST_PAUSE)

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
            raise UnexpectedAnswerError("an answer that is not JSON") from None
        if not isinstance(document, dict):
            raise UnexpectedAnswerError("an answer that is not a JSON object")
        return document

    def read(self, document: dict[str, Any]) -> Any:
        """The data of a call."""
        data = document.get("data")
        if not isinstance(data, dict | list):
            raise UnexpectedAnswerError("an answer without data")
        return data
