"""How long a receiver asks to be left alone (RFC 9110, 10.2.3)."""

import datetime as dt
import re
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,18}", re.ASCII)


def seconds_asked_for(value: str, now: dt.datetime) -> float | None:
    """The seconds from now that a ``Retry-After`` asks for, as a number or a date; None if invalid.

    A date that is over means 0.
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
