"""Answers that ask the client to wait: a while, forever, or for something that is not a time."""

import datetime as dt
from collections.abc import Callable
from email.utils import format_datetime

from pytest_turris.core.clock import later
from pytest_turris.core.faults.hostile.answer import (
    AnswerContext,
    AnswerMaker,
    Expectation,
    HostileAnswer,
    Variant,
    error_answer,
)
from pytest_turris.core.faults.hostile.framing import SLOW
from pytest_turris.core.wire.messages import Response

_Value = Callable[[AnswerContext], str | None]
_SLOW = dt.timedelta(minutes=10)
_ENDLESS_YEAR = "Fri, 01 Jan 99999999999999999999 00:00:00 GMT"


def _after(seconds: float) -> _Value:
    return lambda context: context.seconds(seconds)


def _text(text: str | None) -> _Value:
    return lambda _: text


def _date(seconds: float) -> _Value:
    def value(context: AnswerContext) -> str:
        return format_datetime(later(context.at, dt.timedelta(seconds=seconds)), usegmt=True)

    return value


def _honest(context: AnswerContext) -> Response:
    return context.honest()


def _milliseconds(context: AnswerContext) -> str:
    return context.seconds(2) + "000"


def _limited(
    reset: _Value | None = None, retry_after: _Value | None = None, status: int = 429
) -> AnswerMaker:
    def make(context: AnswerContext) -> Response:
        values = {
            "x-ratelimit-reset": reset(context) if reset else None,
            "retry-after": retry_after(context) if retry_after else None,
        }
        headers = tuple((name, value) for name, value in values.items() if value is not None)
        message = ["Rate limit exceeded. Please retry after 60 seconds."]
        kind = "rate_limit_exceeded" if status == 429 else "internal_error"  # noqa: PLR2004 - RFC 6585
        return error_answer(status, headers=headers, errorType=kind, errorMessage=message)(context)

    return make


def _once(
    name: str, make: AnswerMaker, *, min_wait: float = 0, expects: Expectation = "either"
) -> Variant:
    return Variant(name=name, make=make, times=1, expects=expects, min_wait=min_wait)


def _always(names: dict[str, _Value]) -> tuple[Variant, ...]:
    return tuple(
        Variant(name=name, make=_limited(reset), paced=True) for name, reset in names.items()
    )


ANSWERS = (
    HostileAnswer(
        id="AR-19", title="503 with every kind of Retry-After",
        expects="waits as long as asked, within limits; ignores what is not a time",
        source="RFC 9110, 10.2.3; measured: parsedate_to_datetime raises OverflowError",
        variants=(
            _once("2 seconds", _limited(retry_after=_text("2"), status=503), min_wait=2),
            _once("date", _limited(retry_after=_date(3), status=503), min_wait=2),
            _once("past date", _limited(retry_after=_date(-60), status=503)),
            _once("garbage", _limited(retry_after=_text("soon"), status=503)),
            _once("endless year", _limited(retry_after=_text(_ENDLESS_YEAR), status=503)),
            _once("negative", _limited(retry_after=_text("-5"), status=503)),
            _once("a century", _limited(retry_after=_text("3153600000"), status=503)),
        ),
    ),
    HostileAnswer(
        id="AR-25", title="429, reset in two seconds",
        expects="waits at least that long", source="guides: rate-limiting",
        variants=(_once("2 seconds", _limited(_after(2)), min_wait=1),),
    ),
    HostileAnswer(
        id="AR-26", title="429, reset in the past",
        expects="a short pause, no hot loop", source="guides: rate-limiting, sample code",
        variants=_always({"a minute ago": _after(-60), "1970": _text("0")}),
    ),
    HostileAnswer(
        id="AR-27", title="429, reset in milliseconds, as a delta, in the far future",
        expects="a limited wait, no hot loop, no crash",
        source="measured on the vendor's sample: a hot loop, or 24 days",
        variants=_always({
            "milliseconds": _milliseconds,
            "delta": _text("60"),
            "1e18": _text("1e18"),
            "10**18": _text(str(10**18)),
            "25 days": _after(25 * 86_400),
            "60 years": _after(60 * 365 * 86_400),
        }),
    ),
    HostileAnswer(
        id="AR-28", title="429, reset missing, empty or not a number",
        expects="a backoff of its own; only ASCII digits are digits", source="RFC 9110, 5.5",
        variants=_always({
            "missing": _text(None),
            "empty": _text(""),
            "word": _text("soon"),
            "date": _date(2),
            "3_0": _text("3_0"),
            "arabic digit": _text("٣".encode().decode("latin-1")),
            "NaN": _text("NaN"),
            "inf": _text("inf"),
        }),
    ),
    HostileAnswer(
        id="AR-29", title="429, reset by a clock that is ten minutes off",
        expects="a limited wait, no hot loop", source="ietf-wg-httpapi/ratelimit-headers issue 25",
        variants=_always({"server ahead": _after(602), "server behind": _after(-598)}),
    ),
    HostileAnswer(
        id="AR-30", title="every answer is a 429 with Retry-After: 120",
        expects="a time limit for the whole call, not only for each attempt",
        source="httpx-retries issue 57",
        variants=(Variant(name="120 s", make=_limited(retry_after=_text("120")), paced=True),),
    ),
    HostileAnswer(
        id="AR-31", title="Retry-After and X-RateLimit-Reset disagree", level="should",
        expects="the later one counts", source="RFC 9110, 10.2.3",
        variants=(
            _once("2 and 5 s", _limited(_after(5), _text("2")), min_wait=4),
            _once("5 and 2 s", _limited(_after(2), _text("5")), min_wait=4),
        ),
    ),
    HostileAnswer(
        id="AR-33", title="an answer that takes ten minutes, comes byte by byte, or never comes",
        expects="a timeout for each read, and one for the whole answer",
        source="AWS Builders' Library, timeouts",
        variants=(
            Variant(name="api", make=_honest, delay=_SLOW, times=1, expects="either",
                    transport="process"),
            Variant(name="token", endpoint="token", make=_honest, delay=_SLOW, times=1,
                    expects="either", transport="process"),
            *SLOW,
        ),
    ),
)  # fmt: skip
