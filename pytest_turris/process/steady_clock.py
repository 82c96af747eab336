"""The system's monotonic clock, which no time travel replaces, and event loops that run by it."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

# Never ``time.monotonic`` itself: freezegun would find it in this module and replace it.
_monotonic = (
    partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    if hasattr(time, "clock_gettime")
    else partial(time.monotonic)
)


def steady_time() -> float:
    """Seconds on that clock."""
    return _monotonic()


SERVER_THREAD = "turris-server"
"""The name of a thread that runs a sandbox's server: time travel lets it answer first."""


class SteadyLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers run on while freezegun holds ``time.monotonic`` still."""

    def time(self) -> float:
        """Seconds on the system's monotonic clock."""
        return steady_time()


class MovableLoop(SteadyLoop):
    """The same for what a test's own call runs: time travel moves it, as any loop of the test."""


IdleRun = Callable[[Callable[[], Coroutine[Any, Any, float]]], float | None]

idle_loops: list[IdleRun] = []
"""Each runs a coroutine on a loop that stands between two uses; None if it is not there, or busy.

What runs a test's loop adds a function here, and time travel calls it.
"""


def call_really(seconds: float, call: Callable[[], object]) -> Callable[[], None]:
    """Call something from the running loop after real seconds; return how to cancel that.

    While the clock of the loop can move, time travel has another function here.
    """
    return asyncio.get_running_loop().call_later(seconds, call).cancel
