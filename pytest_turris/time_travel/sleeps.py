"""The queue of sleepers, and the record of those that woke."""

import datetime as dt
import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

_LONGEST = dt.timedelta(days=3_650)
"""A single wait beyond this is an error: the code under test would never return."""

SECOND = 1_000_000
"""Moments and durations of the queue are in microseconds."""


class SleptTooLongError(BaseException):
    """The code under test would wait beyond its budget, or for more than ten years.

    It is not an Exception, because a client's own ``except Exception`` would treat it as a failed
    request. ``pytest.raises(SleptTooLongError)`` catches it, ``pytest.raises(Exception)`` does not.
    """


@dataclass(frozen=True, slots=True)
class Sleep:
    """One sleep that passed: its start on the virtual clock, its length, what slept, and where."""

    at: dt.datetime
    duration: dt.timedelta
    by: str
    """What was called, such as ``time.sleep`` or ``Event.wait``."""
    module: str = ""
    """The module that called it; empty if it is not known."""
    blocks_loop: bool = False
    """Whether it is a blocking one, in a thread whose event loop runs."""

    def __str__(self) -> str:
        whose = f" in {self.module}" if self.module else ""
        return f"{self.by}({self.duration.total_seconds():g}) at {self.at:%H:%M:%S.%f}{whose}"


@dataclass(eq=False, slots=True)
class Sleeper:
    """What waits until a moment.

    Args:
        due: The moment.
        wake: Called when it has come, or with what is to be raised where it waits.
        sleep: The record of it; None for a deadline.
        thread: The thread that waits.
        key: What a task awaits meanwhile.
    """

    due: float
    wake: Callable[[BaseException | None], object]
    sleep: Sleep | None = None
    thread: int = 0
    key: object = None
    queued: bool = field(default=False, init=False)


class Sleepers:
    """A queue by due time; those with the same due time are in the order in which they came."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Sleeper]] = []
        self._order = count()
        self._keys: dict[object, Sleeper] = {}
        self.added: int = 0
        """How many were ever queued."""

    def add(self, sleeper: Sleeper) -> None:
        """Queue one."""
        self.added += 1
        sleeper.queued = True
        if sleeper.key is not None:
            self._keys[sleeper.key] = sleeper
        heapq.heappush(self._heap, (sleeper.due, next(self._order), sleeper))

    def discard(self, sleeper: Sleeper) -> None:
        """Take one out, if it still waits."""
        sleeper.queued = False
        self._keys.pop(sleeper.key, None)

    def earliest(self) -> Sleeper | None:
        """The one that is due first."""
        while self._heap and not self._heap[0][2].queued:
            heapq.heappop(self._heap)
        return self._heap[0][2] if self._heap else None

    def awaited(self, key: object) -> bool:
        """Whether what a task awaits is in the queue."""
        return key in self._keys

    def __iter__(self) -> Iterator[Sleeper]:
        """Those that wait, in the order in which they came."""
        waiting = sorted((order, sleeper) for _, order, sleeper in self._heap if sleeper.queued)
        return (sleeper for _, sleeper in waiting)


class SleepRecord:
    """What slept since the travel began, or since the last ``limit_sleeps``."""

    def __init__(self) -> None:
        self.sleeps: list[Sleep] = []
        """Those that passed, in the order in which they ended."""
        self.real: dict[str, float] = defaultdict(float)
        """How many real seconds each module slept that the test left out."""
        self.budget: dt.timedelta | None = None
        """How much the test's own call may wait from here on; None means no limit."""
        self.passed: float = 0
        """How far sleeps moved the clock, in microseconds."""

    def forget(self, budget: dt.timedelta | None) -> None:
        """Forget the sleeps so far, and set a budget for those to come."""
        self.sleeps.clear()
        self.passed = 0
        self.budget = budget

    def too_long(self, step: float, at: dt.datetime) -> SleptTooLongError | None:
        """What to raise where a wait of the test's own call is longer than allowed.

        Args:
            step: How long it lasts, in microseconds.
            at: The moment.
        """
        waited = as_duration(self.passed + step)
        if as_duration(step) <= _LONGEST and (self.budget is None or waited <= self.budget):
            return None
        limit = "ten years" if self.budget is None else f"{self.budget} in total"
        return SleptTooLongError(
            f"at {at:%H:%M:%S}Z, after {as_duration(self.passed)} of earlier sleeps: "
            f"more than {limit}. Fix: bound the waits of the code under test, or give "
            "turris_time.limit_sleeps() more"
        )

    def summary(self) -> str:
        """Which module slept how long, in words; empty if nothing slept."""
        moved: dict[str, dt.timedelta] = defaultdict(dt.timedelta)
        for sleep in self.sleeps:
            moved[sleep.module] += sleep.duration
        lines = [f"{name or 'the code under test'} slept {whole}" for name, whole in moved.items()]
        if lines:
            lines.append(f"together this moved the clock by {as_duration(self.passed)}")
        real = self.real.items()
        lines += [f"{name} really slept {seconds:g} s, as it is left out" for name, seconds in real]
        return "\n".join(lines)


def microseconds(duration: dt.timedelta) -> int:
    """A duration in the queue's unit."""
    return duration // dt.timedelta(microseconds=1)


def from_seconds(seconds: float) -> float:
    """Seconds in the queue's unit: whole, or infinite."""
    return math.inf if math.isinf(seconds) else round(seconds * SECOND)


def as_duration(step: float) -> dt.timedelta:
    """A duration of the queue as a timedelta, at most the longest one."""
    try:
        return dt.timedelta(microseconds=step)
    except OverflowError:
        return dt.timedelta.max
