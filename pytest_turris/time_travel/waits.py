"""How a thread waits: for a lock, or, in the test's own thread, with the clock moving meanwhile."""

import math
from collections.abc import Callable
from typing import Any

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.scheduler import MAX_TURNS, Scheduler, Waiting
from pytest_turris.time_travel.sleeps import Sleeper

TURNS = 1_000
"""How often tasks run on that never wait."""

LONGEST = 86_400.0
"""Real seconds of one wait for a socket: the system refuses much longer ones."""


def hold(
    scheduler: Scheduler,
    gate: Any,  # noqa: ANN401 - a lock, whose type has no name
    sleeper: Sleeper | None = None,
    real: float | None = None,
    waiting: Waiting = "others",
) -> bool:
    """Wait for a lock that another thread, or the clock, releases; whether it was released.

    Args:
        scheduler: The clock.
        gate: The lock, which is held.
        sleeper: What the clock wakes.
        real: How many real seconds to wait at most, if not for the clock.
        waiting: What the current thread waits for.
    """
    with scheduler.threads.parked(gate.locked, at_gate=real is None and not scheduler.is_main()):
        if not scheduler.is_main():
            return bool(gate.acquire(timeout=-1 if real is None else real))
        return wait(
            scheduler,
            lambda pause: gate.acquire(timeout=pause),
            gate.locked,
            sleeper,
            real,
            waiting=waiting,
        )


def wait(
    scheduler: Scheduler,
    ended: Callable[[float], bool],
    holds: Callable[[], bool],
    sleeper: Sleeper | None = None,
    real: float | None = None,
    *,
    waiting: Waiting = "others",
    asleep: int | None = None,
) -> bool:
    """Wait in the test's own thread, and move the clock; whether it ended before ``real``.

    Args:
        scheduler: The clock.
        ended: Waits for the real seconds that it is given; whether the wait is over.
        holds: Whether nothing has ended it yet, without a wait.
        sleeper: As for ``hold``, like the next two.
        real: See there.
        waiting: See there.
        asleep: The one thread that is waited for, if that is known.
    """
    began, pause, turns = steady_time(), 0.0, 0
    bound = math.inf if real is None else real
    lasts = sleeper.sleep.duration.total_seconds() if sleeper and sleeper.sleep else math.inf
    while not ended(pause):
        if scheduler.step(waiting, holds, asleep):
            pause, turns = 0.0, turns + 1
            # Code that sleeps again and again moves the clock forever, but not past a real
            # deadline.
            if steady_time() - began < bound and (sleeper is None or turns < MAX_TURNS):
                continue
        waited = steady_time() - began
        if sleeper and sleeper.queued and (waited >= lasts or turns >= MAX_TURNS):
            scheduler.pass_to(sleeper.due)  # so much time really passed
        elif waited >= bound:
            return False
        pause = min(max(2 * pause, 0.0005), 0.01, max(bound - waited, 0.0))
    return True
