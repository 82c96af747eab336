"""The system's monotonic clock, which no time travel replaces: what event loops run by."""

import time
from functools import partial

# Never ``time.monotonic`` itself: freezegun would find it in this module and replace it.
_monotonic = (
    partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    if hasattr(time, "clock_gettime")
    else partial(time.monotonic)
)


def steady_time() -> float:
    """Seconds on that clock."""
    return _monotonic()
