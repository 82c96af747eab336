"""What waits for a moment: the queue of sleepers, and the record of those that woke."""

import datetime as dt
import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

LONGEST = dt.timedelta(days=3_650)
"""A single wait beyond this is an error: the code under test would never come back."""

SECOND = 1_000_000
"""Moments and durations of the queue are in microseconds."""


class SleptTooLongError(BaseException):
    """The code under test would wait beyond its budget, or for more than ten years.

    No Exception: a client's own ``except Exception`` is not to take it for a failed request.
    ``pytest.raises(SleptTooLongError)`` catches it, ``pytest.raises(Exception)`` does not.
    """


@dataclass(frozen=True, slots=True)
class Sleep:
    """One sleep that passed: when it began on the virtual clock, how long, by what, and whose."""

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

    def add(self, sleeper: Sleeper) -> None:
        """Queue one."""
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


def microseconds(duration: dt.timedelta) -> int:
    """A duration in the queue's unit."""
    return duration // dt.timedelta(microseconds=1)


def from_seconds(seconds: float) -> float:
    """Seconds in the queue's unit: whole, or infinite."""
    return math.inf if math.isinf(seconds) else round(seconds * SECOND)


def as_duration(step: float) -> dt.timedelta:
    """A duration of the queue; the longest there is for one that is longer."""
    try:
        return dt.timedelta(microseconds=step)
    except OverflowError:
        return dt.timedelta.max
