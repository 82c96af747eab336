"""When a failed delivery is sent again. Turris documents no retries."""

import datetime as dt
from collections.abc import Iterable

from pytest_turris.core.errors import TurrisKitError

SCHEDULES: dict[str, tuple[int, ...]] = {
    "none": (),
    "standard": (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400),
    "svix": (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000),
    "stripe": (3_600, 7_200, 14_400, 28_800, 57_600, 115_200),
}
"""Seconds from each failure to the next attempt: the Standard Webhooks specification's example,
svix-server's default configuration, and an exponential one within Stripe's three days (assumed)."""


class RetryScheduleError(TurrisKitError, ValueError):
    """A wait between two attempts is negative or infinite."""


RetrySchedule = tuple[dt.timedelta, ...]


def schedule_of(name: str) -> RetrySchedule:
    """A schedule by its name. KeyError if there is none."""
    return schedule_from(SCHEDULES[name])


def schedule_from(seconds: Iterable[float]) -> RetrySchedule:
    """A custom schedule.

    Args:
        seconds: The wait after each failure.

    Raises:
        RetryScheduleError: A wait is negative or infinite.
    """
    waits = tuple(seconds)
    for wait in waits:
        if not 0 <= wait < float("inf"):
            raise RetryScheduleError(f"a wait of {wait} s between attempts is negative or infinite")
    return tuple(dt.timedelta(seconds=wait) for wait in waits)
