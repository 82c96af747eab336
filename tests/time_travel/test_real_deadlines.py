"""Deadlines in real time, for what waits for something real, on loops whose time moves."""

import _thread
import asyncio
import datetime as dt
import functools
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest
import trio
import trio.testing

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.event_loops import loops, trio_runs
from pytest_turris.time_travel.event_loops.current_loop import real_deadline
from pytest_turris.time_travel.scheduler import Scheduler
from pytest_turris.time_travel.travel import TimeTravel
from pytest_turris.time_travel.waits import hold

HOUR = dt.timedelta(hours=1)
pytestmark = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=pytest.mark.turris(time_engine=name))
        for name in ("freezegun", "time-machine")
    ],
)


class OwnTime(asyncio.SelectorEventLoop):
    """A loop that keeps its own time."""

    def time(self) -> float:
        """Of the system."""
        return steady_time()


def _on_own_time(main: Callable[[], Any]) -> None:
    with asyncio.Runner(loop_factory=OwnTime) as runner:
        runner.run(main())


RUNS: dict[str, Callable[[Callable[[], Any]], object]] = {
    "asyncio": functools.partial(anyio.run, backend="asyncio"),
    "trio": functools.partial(anyio.run, backend="trio"),
    "asyncio with its own time": _on_own_time,
    "trio with its own clock": lambda main: trio.run(
        main, clock=trio.testing.MockClock(autojump_threshold=0)
    ),
}
on_all = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


@on_all
def test_real_deadline_ends_a_wait(
    engine: str, run: Callable[[Callable[[], Any]], object], turris_time: TimeTravel
) -> None:
    """What never comes is given up, and the clock stands meanwhile."""

    async def main() -> None:
        with real_deadline(0.02) as scope:
            await anyio.Event().wait()
        assert scope.cancelled_caught

    before = turris_time.now
    run(main)
    assert turris_time.now == before


@on_all
def test_real_deadline_that_is_called_off(
    engine: str, run: Callable[[Callable[[], Any]], object], turris_time: TimeTravel
) -> None:
    """What ended before is not cancelled later, and a later one still comes."""

    async def main() -> None:
        with real_deadline(60):
            pass
        with real_deadline(0.02) as scope:
            await anyio.lowlevel.checkpoint()
        with real_deadline(0.04) as later:
            await anyio.Event().wait()
        assert (scope.cancel_called, later.cancelled_caught) == (False, True)

    run(main)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_sleep_inside_a_real_deadline(engine: str, backend: str, turris_time: TimeTravel) -> None:
    """However far the clock goes, a real deadline does not come nearer."""

    async def main() -> None:
        with real_deadline(600) as scope:
            await anyio.sleep(3_600)
        assert not scope.cancel_called

    before = turris_time.now
    anyio.run(main, backend=backend)
    assert turris_time.now - before == HOUR


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_call_that_was_made_is_called_off_in_vain(
    engine: str, backend: str, turris_time: TimeTravel
) -> None:
    """To call off what happened already does nothing."""
    call_after = trio_runs.trio_call_after if backend == "trio" else loops.call_after

    async def main() -> None:
        event = anyio.Event()
        cancel = call_after(0.01, event.set)
        await event.wait()
        cancel()

    anyio.run(main, backend=backend)


class FastClock(trio.abc.Clock):
    """A clock that runs a million times as fast as the system's."""

    def start_clock(self) -> None:
        """Nothing to start."""

    def current_time(self) -> float:
        """In its seconds."""
        return steady_time() * 1e6

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """In real ones."""
        return (deadline - self.current_time()) / 1e6


@pytest.mark.parametrize(
    "make",
    [
        lambda: trio.testing.MockClock(autojump_threshold=0),
        lambda: trio.testing.MockClock(rate=100_000),
        FastClock,
    ],
    ids=["jumps", "has a rate", "runs"],
)
def test_trio_with_its_own_clock_keeps_it(
    engine: str, make: Callable[[], trio.abc.Clock], turris_time: TimeTravel
) -> None:
    """A run with a clock of its own, such as trio's for tests, sleeps by that; ours stands."""
    clock, before = make(), turris_time.now

    async def main() -> float:
        began = trio.current_time()
        await trio.sleep(3_600)
        return trio.current_time() - began

    assert trio.run(main, clock=clock) >= 3_600
    assert turris_time.now == before


def test_trio_waits_until_all_tasks_are_blocked(engine: str, turris_time: TimeTravel) -> None:
    """A cushion is real: tests use it to let other tasks come to wait, and time stands."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 30)
            before = turris_time.now
            await trio.testing.wait_all_tasks_blocked(0.01)
            assert turris_time.now == before
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_real_deadline_ends_a_wait_next_to_a_heartbeat(
    engine: str, turris_time: TimeTravel
) -> None:
    """A thread that sleeps again and again moves the clock, but does not keep the wait going."""
    stop, never, beats = threading.Event(), _thread.allocate_lock(), list[float]()
    never.acquire()

    def beat() -> None:
        while not stop.wait(1):
            beats.append(1)

    heart = threading.Thread(target=beat)
    heart.start()
    assert Scheduler.current is not None
    assert not hold(Scheduler.current, never, real=0.2)
    stop.set()
    heart.join()
