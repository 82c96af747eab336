"""Reads the header ``Retry-After`` (RFC 9110, 10.2.3)."""

import datetime as dt
import re
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,18}", re.ASCII)


def retry_after_seconds(value: str, now: dt.datetime) -> float | None:
    """Return the seconds from now that a value means; None if it is invalid.

    Args:
        value: A number of seconds, or an HTTP date. A date in the past means 0.
        now: The moment of the response, with a time zone.
    """
    if _SECONDS.fullmatch(value.strip()):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # the latter for a year or a zone of twenty digits
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max((moment - now).total_seconds(), 0.0)
