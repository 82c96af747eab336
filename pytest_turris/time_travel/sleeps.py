"""Sleeps that pass on the virtual clock: recorded, and never slept.

``time.sleep``, ``asyncio.sleep``, ``anyio.sleep``, ``trio.sleep`` and ``threading.Event.wait``
with a timeout move the clock instead. What the test's own machinery sleeps stays real.
"""

import asyncio
import contextlib
import datetime as dt
import math
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_turris.process.patch import Patch, Replacement

_MACHINERY = frozenset({
    "_pytest", "asyncio", "concurrent", "execnet", "freezegun", "logging", "multiprocessing",
    "pluggy", "pytest_turris", "queue", "socketserver", "threading", "uvicorn", "xdist",
})  # fmt: skip
_GRACE = 0.05
_BLOCKING = ("time.sleep", "Event.wait")
_TIMESTAMP_MAX = 9_223_372_036.0
_LONGEST = dt.timedelta(days=3_650)

real_sleep: Callable[[float], None] = time.sleep
"""For code that has to wait for another thread while sleeps are virtual."""

_real_wait = threading.Event.wait


class SleptTooLongError(BaseException):
    """The code under test would sleep beyond its budget, or for more than ten years.

    No Exception: a client's own ``except Exception`` is not to take it for a failed request.
    """


@dataclass(frozen=True, slots=True)
class Sleep:
    """One sleep that passed: when it began on the virtual clock, how long, and by what."""

    at: dt.datetime
    duration: dt.timedelta
    by: str
    blocks_loop: bool = False
    """Whether it is a blocking one, in a thread whose event loop runs."""

    def __str__(self) -> str:
        return f"{self.by}({self.duration.total_seconds():g}) at {self.at:%H:%M:%S.%f}"


class Sleeps:
    """The sleeps of the code under test since the travel began, in order."""

    def __init__(
        self, now: Callable[[], dt.datetime], pass_time: Callable[[dt.timedelta], object]
    ) -> None:
        self._now = now
        self._pass_time = pass_time
        self._patched = contextlib.ExitStack()
        self._substituted: list[tuple[Any, Any]] = []
        self.recorded: list[Sleep] = []
        self.budget: dt.timedelta | None = None
        """How much may be slept in total from here on; None is without bounds."""

    @property
    def total(self) -> dt.timedelta:
        """How long everything recorded took together."""
        return sum((sleep.duration for sleep in self.recorded), dt.timedelta(0))

    def install(self) -> None:
        """Let sleeps pass on the virtual clock, also where a module imported one by name."""
        self._substituted = self._substitutes()
        replacements: list[Replacement] = [(threading.Event, "wait", lambda _: self._event_wait())]
        for module in list(sys.modules.values()):
            name = getattr(module, "__name__", "")
            if not isinstance(name, str) or _is_machinery(name, "asyncio"):
                continue
            found = getattr(module, "__dict__", {}).get("sleep")
            replacements += [
                (module, "sleep", _returning(substitute))
                for original, substitute in self._substituted
                if found is original
            ]
        self._patched.enter_context(Patch(*replacements))

    def remove(self) -> None:
        """Put the real sleeps back, also into modules that were imported in between."""
        self._patched.close()
        for module in list(sys.modules.values()):
            found = getattr(module, "__dict__", {}).get("sleep")
            for original, substitute in self._substituted:
                if found is substitute:
                    vars(module)["sleep"] = original

    def _substitutes(self) -> list[tuple[Any, Any]]:
        pairs: list[tuple[Any, Any]] = [(time.sleep, self._time_sleep())]
        for library, original in (
            ("asyncio", asyncio.sleep),
            ("anyio", getattr(sys.modules.get("anyio"), "sleep", None)),
            ("trio", getattr(sys.modules.get("trio"), "sleep", None)),
        ):
            if original is not None:
                pairs.append((original, self._async_sleep(library, original)))
        return pairs

    def _time_sleep(self) -> Callable[[float], None]:
        def sleep(seconds: float, /) -> None:
            """Pass on the virtual clock."""
            if seconds == 0 or _called_by_machinery():
                return real_sleep(seconds)
            if math.isnan(seconds):
                raise ValueError("Invalid value NaN (not a number)")
            if seconds < 0:
                raise ValueError("sleep length must be non-negative")
            if seconds > _TIMESTAMP_MAX:
                raise OverflowError("timestamp too large to convert to C _PyTime_t")
            return self._take(seconds, "time.sleep")

        return sleep

    def _async_sleep(self, library: str, original: Callable[..., Any]) -> Callable[..., Any]:
        async def virtual(delay: float, result: Any) -> Any:  # noqa: ANN401 - as asyncio's
            self._take(delay, f"{library}.sleep")
            return await original(0, *result)

        def sleep(delay: float, *result: Any) -> Any:  # noqa: ANN401 - as asyncio's
            """Pass on the virtual clock, and let other tasks run."""
            # Looked at here: a coroutine that a loop runs by itself is called by machinery.
            if not delay > 0 or _called_by_machinery():
                return original(delay, *result)
            return virtual(delay, result)

        return sleep

    def _event_wait(self) -> Callable[..., bool]:
        def wait(event: threading.Event, timeout: float | None = None) -> bool:
            """Wait a moment for another thread; else let the timeout pass on the virtual clock."""
            if timeout is None or timeout <= 0 or event.is_set() or _called_by_machinery():
                return _real_wait(event, timeout)
            if _real_wait(event, min(timeout, _GRACE)):
                return True
            self._take(timeout, "Event.wait")
            return event.is_set()

        return wait

    def _take(self, seconds: float, by: str) -> None:
        at = self._now()
        try:
            duration = dt.timedelta(seconds=seconds)
        except OverflowError:
            duration = dt.timedelta.max
        if duration > _LONGEST or (self.budget is not None and self.total + duration > self.budget):
            raise SleptTooLongError(
                f"{by}({seconds:g}) at {at:%H:%M:%S}Z, after {self.total} of earlier sleeps: "
                f"more than {self.budget or _LONGEST} in total"
            )
        blocks = by in _BLOCKING and asyncio._get_running_loop() is not None  # noqa: SLF001 - get_running_loop raises
        self.recorded.append(Sleep(at, duration, by, blocks))
        self._pass_time(duration)


def _returning(substitute: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - any callable
    return lambda _: substitute


def _called_by_machinery() -> bool:
    """Whether the code that sleeps is the test runner's, a server's or the standard library's."""
    return _is_machinery(sys._getframe(2).f_globals.get("__name__", ""))  # noqa: SLF001 - as warnings does


def _is_machinery(module: str, *but: str) -> bool:
    root = module.partition(".")[0]
    return root in _MACHINERY and root not in but
