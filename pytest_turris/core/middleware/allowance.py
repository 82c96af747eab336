"""What a rate limit leaves, and the headers that say so."""

import datetime as dt
import math
from dataclasses import dataclass

from pytest_turris.core.clock import later
from pytest_turris.core.options import Options
from pytest_turris.core.wire.messages import Fields

WINDOW = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many calls a credential has left in its window, and when the window resets."""

    limit: int
    used: int
    resets_at: dt.datetime

    @property
    def remaining(self) -> int:
        """Calls left in the window."""
        return max(0, self.limit - self.used)

    @property
    def headers(self) -> Fields:
        """``X-RateLimit-*``; ``Reset`` in Unix seconds, rounded up so that waiting is enough."""
        return (
            ("x-ratelimit-limit", str(self.limit)),
            ("x-ratelimit-remaining", str(self.remaining)),
            ("x-ratelimit-reset", str(math.ceil(self.resets_at.timestamp()))),
        )


def seconds_left(until: dt.datetime, now: dt.datetime) -> int:
    """Whole seconds until a moment, rounded up so that waiting is enough."""
    return math.ceil((until - now).total_seconds())


def fields_to_retry(until: dt.datetime, now: dt.datetime, options: Options) -> Fields:
    """``Retry-After`` of a 429 after which a call succeeds; none without the option."""
    if not options.retry_after:
        return ()
    return (("retry-after", str(seconds_left(until, now))),)


def used_up(limit: int, now: dt.datetime, options: Options) -> Fields:
    """The headers of a 429 that a test scripted: those of a window that was used up just now."""
    resets_at = later(now, WINDOW)
    wait = fields_to_retry(resets_at, now, options)
    return (*Allowance(limit, limit, resets_at).headers, *wait)
