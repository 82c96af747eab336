"""Moves the sandbox's clock, compared with time-machine and freezegun in a large process.

freezegun searches every loaded module for the functions that it replaces, so this script creates
a thousand modules. CPU time.
"""

import datetime as dt
import statistics
import sys
import time
from collections.abc import Callable
from types import ModuleType

import freezegun
import time_machine

from pytest_turris.core.sandbox import Sandbox

MODULES = 1_000
STEP = dt.timedelta(minutes=55, milliseconds=1)
MOMENT = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)


def main() -> None:
    for number in range(MODULES):
        module = ModuleType(f"generated_{number}")
        vars(module).update({f"name_{each}": each for each in range(20)})
        sys.modules[module.__name__] = module
    clock = Sandbox().clock
    ours = microseconds(lambda: clock.advance(STEP), 2_000)
    back = microseconds(lambda: clock.move_to(MOMENT), 2_000)
    with time_machine.travel(MOMENT, tick=False) as traveller:
        machine = microseconds(lambda: traveller.shift(STEP), 200)
    start = microseconds(travel_with_time_machine, 200)
    frozen = microseconds(travel_with_freezegun, 20)
    print(
        f"{len(sys.modules):,} modules: clock.advance {ours:.1f} us, clock.move_to {back:.1f} us "
        "(goal 50, stretch 10)"
    )
    print(
        f"    time-machine: a shift {machine:.1f} us, start and stop {start:.1f} us; "
        f"freezegun: start and stop {frozen:,.0f} us"
    )


def microseconds(call: Callable[[], object], count: int) -> float:
    """Return the median time of a call, over eleven batches."""
    batches = []
    for _ in range(11):
        begin = time.thread_time_ns()
        for _ in range(count // 10):
            call()
        batches.append((time.thread_time_ns() - begin) / (count // 10) / 1_000)
    return statistics.median(batches)


def travel_with_time_machine() -> None:
    with time_machine.travel(MOMENT, tick=False):
        pass


def travel_with_freezegun() -> None:
    with freezegun.freeze_time(MOMENT):
        pass


if __name__ == "__main__":
    main()
