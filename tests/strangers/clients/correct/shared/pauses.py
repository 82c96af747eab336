"""How long to wait before the next attempt."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRIED = {429, 500, 502, 503, 504}


def asked_for(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds to wait: the later of Retry-After and X-RateLimit-Reset."""
    found = [
        _retry_after(headers.get("retry-after"), now),
        _reset(headers.get("x-ratelimit-reset"), now),
    ]
    return max((seconds for seconds in found if seconds is not None), default=None)


def pause(headers: Mapping[str, str], attempt: int, now: datetime) -> float:
    """What the answer asks for and a little more; else 0.5 s, 1 s, 2 s ... with jitter."""
    asked = asked_for(headers, now)
    own: float = min(8.0, 0.5 * 2**attempt) * random.uniform(1.0, 1.5)
    return own if asked is None else max(asked + random.uniform(0.01, 0.2), own)


def _digits(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _retry_after(text: str | None, now: datetime) -> float | None:
    if text is None:
        return None
    seconds = _digits(text)
    if seconds is not None:
        return float(seconds)
    try:
        moment = parsedate_to_datetime(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, OverflowError, TypeError):
        return None


def _reset(text: str | None, now: datetime) -> float | None:
    """Unix seconds, as documented; anything that is not near now is not believed."""
    seconds = _digits(text)
    if seconds is None:
        return None
    left = seconds - now.timestamp()
    return left if 0 <= left <= 120 else None
