"""How one call is made, as a flow of steps that a client performs with or without ``await``."""

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
LONGEST_PAUSE = 60.0  # a rate window is a minute

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """What is asked of Turris, and how to read its ``data``; the same bytes in every attempt."""

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
    """What came back; a body that is not a JSON object is empty."""

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
    """A step: send the call and give back what came of it."""

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
class Alone:
    """A step: run another flow while nobody else runs one."""

    flow: "Flow[Any]"


Step: TypeAlias = Send | Pause | Alone
Flow: TypeAlias = Generator[Step, Any, T]


def attempts(call: Call[T], token: str | None = None, limit: int = ATTEMPTS) -> Flow[T]:
    """Make the call; repeat it where that is safe and may help."""
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
    """A rate-limited call was not done; any other failure leaves that open."""
    return isinstance(error, RateLimitedError) or (error.transient and call.repeatable)


def _pause(attempt: int, outcome: Outcome) -> float:
    """As long as Turris says, within bounds; doubling when it does not say."""
    if isinstance(outcome, Answer):
        now = datetime.now(UTC)
        told = [_until_reset(outcome, now), _until_retry(outcome.retry_after, now)]
        said = [seconds for seconds in told if seconds is not None]
        if said:
            return min(max(*said, 1.0), LONGEST_PAUSE)
    return min(2.0 ** (attempt - 1), LONGEST_PAUSE)


def _until_reset(answer: Answer, now: datetime) -> float | None:
    """Until the rate window of a refused call resets, which is told in Unix seconds."""
    told = answer.rate_limit_reset
    if answer.status != 429 or not re.fullmatch(r"[0-9]{1,10}", told):
        return None
    return int(told) - now.timestamp()


def _until_retry(told: str, now: datetime) -> float | None:
    """What ``Retry-After`` says: seconds, or a date (RFC 9110, 10.2.3)."""
    if re.fullmatch(r"[0-9]{1,10}", told):
        return float(told)
    try:
        return (parsedate_to_datetime(told) - now).total_seconds()
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
    """Text from outside on one short line, without what must not be shown."""
    text = str(value)
    for secret in filter(None, hide):
        text = text.replace(secret, "***")
    return "".join(character if character.isprintable() else " " for character in text)[:300]
