"""How points in time are written. Many come in the same second, whose text is made once."""

import datetime as dt
from email.utils import format_datetime
from functools import cache, lru_cache

_Second = tuple[int, int, int, int, int, int]


def iso(moment: dt.datetime) -> str:
    """A point in time as Turris writes it, such as ``2025-03-17T10:15:45.000Z``."""
    moment = moment.astimezone(dt.UTC)
    return _iso(_second(moment)) + _fraction(moment.microsecond // 1000)


def http_date(moment: dt.datetime) -> str:
    """A point in time as HTTP's ``Date`` has it (RFC 9110, 5.6.7)."""
    return _http_date(_second(moment.astimezone(dt.UTC)))


def _second(at: dt.datetime) -> _Second:
    return at.year, at.month, at.day, at.hour, at.minute, at.second


@lru_cache(maxsize=8)
def _iso(second: _Second) -> str:
    return dt.datetime(*second).isoformat()  # noqa: DTZ001 - its text has no zone


@cache
def _fraction(milliseconds: int) -> str:
    return f".{milliseconds:03d}Z"


@lru_cache(maxsize=8)
def _http_date(second: _Second) -> str:
    return format_datetime(dt.datetime(*second, tzinfo=dt.UTC), usegmt=True)
