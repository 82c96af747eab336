"""How one call is made: a generator of steps that a sync or an async client performs."""

import logging
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeAlias, TypeVar

from agency_directory.errors import (
    ConnectionLostError,
    RateLimitedError,
    TurrisError,
    UnexpectedAnswerError,
    error_class,
)

ATTEMPTS = 3
LONGEST_PAUSE = 60.0  # a rate limit window is a minute

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and how to read the ``data`` of its response; attempts send the same bytes."""

    method: str
    path: str
    read: Callable[[Any], T] = field(repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Mapping[str, object] | None = field(default=None, repr=False)
    idempotency_key: str | None = None
    hide: tuple[str, ...] = field(default=(), repr=False)
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. The body is empty unless it is a JSON object."""

    status: int
    body: Mapping[str, Any]
    rate_limit_reset: str = ""
    retry_after: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def request_id(self) -> str:
        return _printable(self.body.get("requestId", "unknown"))


Outcome: TypeAlias = Answer | ConnectionLostError


@dataclass(frozen=True, slots=True)
class Send:
    """A step: send the call and return the outcome."""

    call: Call[Any]
    token: str | None = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        headers = {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.call.idempotency_key:
            headers["idempotency-key"] = self.call.idempotency_key
        return headers


@dataclass(frozen=True, slots=True)
class Pause:
    """A step: wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Locked:
    """A step: run another flow while holding the client's lock."""

    flow: "Flow[Any]"


Step: TypeAlias = Send | Pause | Locked
Flow: TypeAlias = Generator[Step, Any, T]


def attempts(call: Call[T], token: str | None = None, limit: int = ATTEMPTS) -> Flow[T]:
    """Make the call, and repeat it where that is safe and may help."""
    attempt = 1
    while True:
        outcome: Outcome = yield Send(call, token)
        _log(call, outcome)
        if isinstance(outcome, Answer) and outcome.is_success:
            return _read(call, outcome)
        error = _error(outcome, hide=(*call.hide, token or ""))
        if attempt >= limit or not _may_repeat(call, error):
            raise error
        yield Pause(_pause(attempt, outcome))
        attempt += 1


def _log(call: Call[Any], outcome: Outcome) -> None:
    if isinstance(outcome, Answer):
        what = f"{outcome.status}, request {outcome.request_id}"
    else:
        what = str(outcome)
    logger.info("%s %s: %s", call.method, call.path, what)


def _may_repeat(call: Call[Any], error: TurrisError) -> bool:
    """A rate-limited call was not processed; after any other failure, that is unknown."""
    return isinstance(error, RateLimitedError) or (error.transient and call.repeatable)


def _pause(attempt: int, outcome: Outcome) -> float:
    """Return the seconds that Turris asks for, within limits, or else an exponential backoff."""
    if isinstance(outcome, Answer):
        now = datetime.now(UTC)
        waits = [_until_reset(outcome, now), _until_retry(outcome.retry_after, now)]
        known = [seconds for seconds in waits if seconds is not None]
        if known:
            return min(max(*known, 1.0), LONGEST_PAUSE)
    return min(2.0 ** (attempt - 1), LONGEST_PAUSE)


def _until_reset(answer: Answer, now: datetime) -> float | None:
    """Return the seconds until the rate limit window of a refused call ends."""
    reset = answer.rate_limit_reset  # in Unix seconds
    if answer.status != 429 or not re.fullmatch(r"[0-9]{1,10}", reset):
        return None
    return int(reset) - now.timestamp()


def _until_retry(retry_after: str, now: datetime) -> float | None:
    """Return the seconds that ``Retry-After`` means: a number or a date (RFC 9110, 10.2.3)."""
    if re.fullmatch(r"[0-9]{1,10}", retry_after):
        return float(retry_after)
    try:
        return (parsedate_to_datetime(retry_after) - now).total_seconds()
    except (TypeError, ValueError, OverflowError):  # the last for a year of twenty digits
        return None


def _read(call: Call[T], answer: Answer) -> T:
    try:
        return call.read(answer.body["data"])
    except (LookupError, TypeError, AttributeError, ValueError):
        problem = f"{call.method} {call.path}: cannot read the answer, request {answer.request_id}"
    raise UnexpectedAnswerError(problem)


def _error(outcome: Outcome, hide: tuple[str, ...]) -> TurrisError:
    if isinstance(outcome, ConnectionLostError):
        return outcome
    messages = outcome.body.get("errorMessage") or []
    if not isinstance(messages, list):
        messages = [messages]
    return error_class(outcome.status)(
        status=outcome.status,
        error_type=_printable(outcome.body.get("errorType", "unknown"), hide),
        messages=tuple(_printable(message, hide) for message in messages[:10]),
        request_id=outcome.request_id,
    )


def _printable(value: object, hide: tuple[str, ...] = ()) -> str:
    """Return untrusted text as one short line, without secrets."""
    text = str(value)
    for secret in filter(None, hide):
        text = text.replace(secret, "***")
    return "".join(character if character.isprintable() else " " for character in text)[:300]
