"""Answers that ask the client to wait: a while, forever, or for a value that is not a time."""

import datetime as dt
from collections.abc import Callable
from email.utils import format_datetime

from pytest_turris.core.faults.hostile.answer import (
    AnswerContext,
    Expectation,
    HostileAnswer,
    Make,
    Variant,
    error,
)
from pytest_turris.core.faults.hostile.framing import SLOW
from pytest_turris.core.wire.messages import Response

Says = Callable[[AnswerContext], str | None]
_SLOW = dt.timedelta(minutes=10)
_ENDLESS_YEAR = "Fri, 01 Jan 99999999999999999999 00:00:00 GMT"


def _after(seconds: float) -> Says:
    return lambda occasion: occasion.seconds(seconds)


def _says(text: str | None) -> Says:
    return lambda _: text


def _date(seconds: float) -> Says:
    def say(occasion: AnswerContext) -> str:
        return format_datetime(occasion.at + dt.timedelta(seconds=seconds), usegmt=True)

    return say


def _milliseconds(occasion: AnswerContext) -> str:
    return occasion.seconds(2) + "000"


def _limited(reset: Says | None = None, retry_after: Says | None = None, status: int = 429) -> Make:
    def make(occasion: AnswerContext) -> Response:
        said = {
            "x-ratelimit-reset": reset(occasion) if reset else None,
            "retry-after": retry_after(occasion) if retry_after else None,
        }
        headers = tuple((name, value) for name, value in said.items() if value is not None)
        message = ["Rate limit exceeded. Please retry after 60 seconds."]
        kind = "rate_limit_exceeded" if status == 429 else "internal_error"  # noqa: PLR2004 - RFC 6585
        return error(status, headers=headers, errorType=kind, errorMessage=message)(occasion)

    return make


def _once(name: str, make: Make, *, waits: float = 0, expects: Expectation = "either") -> Variant:
    return Variant(name=name, make=make, times=1, expects=expects, waits=waits)


def _for_ever(names: dict[str, Says]) -> tuple[Variant, ...]:
    return tuple(Variant(name=name, make=_limited(reset)) for name, reset in names.items())


ANSWERS = (
    HostileAnswer(
        id="AR-19", title="503 with every kind of Retry-After",
        expects="waits as asked, within bounds; ignores an invalid time",
        source="RFC 9110, 10.2.3; measured: parsedate_to_datetime raises OverflowError",
        variants=(
            _once("2 seconds", _limited(retry_after=_says("2"), status=503), waits=2),
            _once("date", _limited(retry_after=_date(3), status=503), waits=2),
            _once("past date", _limited(retry_after=_date(-60), status=503)),
            _once("garbage", _limited(retry_after=_says("soon"), status=503)),
            _once("endless year", _limited(retry_after=_says(_ENDLESS_YEAR), status=503)),
            _once("negative", _limited(retry_after=_says("-5"), status=503)),
            _once("a century", _limited(retry_after=_says("3153600000"), status=503)),
        ),
    ),
    HostileAnswer(
        id="AR-25", title="429, to be reset in two seconds",
        expects="waits at least as long", source="guides: rate-limiting",
        variants=(_once("2 seconds", _limited(_after(2)), waits=1),),
    ),
    HostileAnswer(
        id="AR-26", title="429, reset in the past",
        expects="a short pause, no hot loop", source="guides: rate-limiting, sample code",
        variants=_for_ever({"a minute ago": _after(-60), "1970": _says("0")}),
    ),
    HostileAnswer(
        id="AR-27", title="429, reset in milliseconds, as a delta, in the far future",
        expects="a bounded wait, no hot loop, no crash",
        source="measured on the vendor's sample: a hot loop, or 24 days",
        variants=_for_ever({
            "milliseconds": _milliseconds,
            "delta": _says("60"),
            "1e18": _says("1e18"),
            "10**18": _says(str(10**18)),
            "25 days": _after(25 * 86_400),
            "60 years": _after(60 * 365 * 86_400),
        }),
    ),
    HostileAnswer(
        id="AR-28", title="429, reset missing, empty or no number",
        expects="its own back-off; digits are ASCII digits", source="RFC 9110, 5.5",
        variants=_for_ever({
            "missing": _says(None),
            "empty": _says(""),
            "word": _says("soon"),
            "date": _date(2),
            "3_0": _says("3_0"),
            "arabic digit": _says("٣".encode().decode("latin-1")),
            "NaN": _says("NaN"),
            "inf": _says("inf"),
        }),
    ),
    HostileAnswer(
        id="AR-29", title="429, reset right for a clock that is ten minutes off",
        expects="bounded", source="ietf-wg-httpapi/ratelimit-headers issue 25",
        variants=_for_ever({"server ahead": _after(602), "server behind": _after(-598)}),
    ),
    HostileAnswer(
        id="AR-30", title="429 forever, Retry-After: 120",
        expects="a total budget, not only one for each try", source="httpx-retries issue 57",
        variants=(Variant(name="120 s", make=_limited(retry_after=_says("120"))),),
    ),
    HostileAnswer(
        id="AR-31", title="Retry-After and X-RateLimit-Reset disagree", level="should",
        expects="the later counts", source="RFC 9110, 10.2.3",
        variants=(_once("2 and 5 s", _limited(_after(5), _says("2")), waits=4),),
    ),
    HostileAnswer(
        id="AR-33", title="an answer that takes ten minutes, comes byte by byte, or never",
        expects="a timeout for each read, and one for the whole",
        source="AWS Builders' Library, timeouts",
        variants=(
            Variant(name="api", make=lambda o: o.honest(), delay=_SLOW, times=1, expects="either",
                    over="process"),
            Variant(name="token", where="token", make=lambda o: o.honest(), delay=_SLOW, times=1,
                    expects="either", over="process"),
            *SLOW,
        ),
    ),
)  # fmt: skip
