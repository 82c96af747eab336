"""How long an answer may take: measured against this receiver, on this machine, at this moment."""

from typing import Self

from pytest_turris.core.clock import Clock
from pytest_turris.process.steady_clock import steady_time

_FAIR = 2.0
"""Seconds for an answer, on an idle machine, by a receiver that answers at once."""

_PATIENCE = 0.5
"""Seconds after which a receiver is taken to wait for more of a request."""

_LONGEST = 2.5
"""Seconds for that on the busiest machine: servers give up such requests after some more."""

_LOOPS = 400_000
_REFERENCE = 0.02
"""Seconds that the loops take on a slow, idle machine; a fast one needs a quarter of it."""


class Elapsed(float):
    """Seconds that passed, and on which clock.

    Args:
        seconds: How many.
        virtual: Whether time travel moved the clock so far, as a sleep under it does.
    """

    __slots__ = ("virtual",)

    virtual: bool

    def __new__(cls, seconds: float, *, virtual: bool = False) -> Self:
        """Seconds on one of the two clocks."""
        made = super().__new__(cls, seconds)
        made.virtual = virtual
        return made


class Stopwatch:
    """Measures how long a request takes."""

    def __init__(self) -> None:
        # Under time travel the first stands, and sleeps pass on it alone.
        self._begin = Clock.process_time(), steady_time()

    def elapsed(self) -> Elapsed:
        """The seconds since the beginning, on the clock on which more of them passed."""
        travelled = (Clock.process_time() - self._begin[0]).total_seconds()
        real = steady_time() - self._begin[1]
        return Elapsed(max(travelled, real), virtual=travelled > real + 0.1)


class Pace:
    """How long this receiver takes for genuine webhooks."""

    def __init__(self) -> None:
        self._slowest = 0.0
        self._slowest_virtual = 0.0

    def learn(self, elapsed: Elapsed) -> None:
        """Take the time of a genuine webhook into account."""
        self._slowest = max(self._slowest, elapsed)
        if elapsed.virtual:
            self._slowest_virtual = max(self._slowest_virtual, elapsed)

    def limit(self, elapsed: Elapsed, within: float = 0.0) -> float:
        """The seconds that an answer may take, which it took already.

        On a virtual clock, whose seconds no other process takes, they are what they are, and only
        its seconds are compared. On the real one they are the more, the less this machine gets
        done just now.

        Args:
            elapsed: How long it took.
            within: The seconds for this one, where they follow from a delay that is known.
        """
        own = 3 * (self._slowest_virtual if elapsed.virtual else self._slowest)
        if within or elapsed.virtual or elapsed <= _FAIR + own:
            return (within or _FAIR) + own
        return (_FAIR + own) * slowdown()

    def patience(self) -> float:
        """The seconds after which a receiver that has not answered waits for something."""
        busy = min(_PATIENCE * slowdown(), _LONGEST)
        return busy + 2 * self._slowest


def slowdown() -> float:
    """How many times longer than on an idle machine work takes here and now; at least 1."""
    begin = steady_time()
    for _ in range(_LOOPS):
        pass
    return max(1.0, (steady_time() - begin) / _REFERENCE)
