"""Modules whose waits stay real: those that the test leaves out, and servers and such."""

import datetime as dt
import threading
import time
from types import ModuleType
from typing import Any

import anyio
import pytest

from pytest_turris.time_travel.travel import TimeTravel

SECOND = dt.timedelta(seconds=1)
pytestmark = [
    pytest.mark.parametrize(
        "engine",
        [
            pytest.param(name, marks=pytest.mark.turris(time_engine=name))
            for name in ("freezegun", "time-machine")
        ],
    ),
    pytest.mark.turris(time_real_modules="legacy.poller other"),
]
on_both_loops = pytest.mark.parametrize("backend", ["asyncio", "trio"])
SOURCE = """
import anyio
import time

def pause(seconds):
    time.sleep(seconds)

async def apause(seconds):
    await anyio.sleep(seconds)

def join(thread, seconds):
    thread.join(seconds)
"""


def module(name: str) -> Any:
    """A module that waits."""
    made = ModuleType(name)
    exec(SOURCE, vars(made))  # noqa: S102 - a module of that name
    return made


@on_both_loops
@pytest.mark.parametrize("beats", [False, True], ids=["alone", "beside a heartbeat"])
def test_task_that_is_left_out_really_sleeps(
    engine: str, backend: str, beats: bool, turris_time: TimeTravel
) -> None:
    """Time stands while it sleeps, whatever else waits for the clock, and its sleep is noted."""
    poller = module("legacy.poller")

    async def main() -> None:
        before = turris_time.now
        async with anyio.create_task_group() as group:
            for _ in range(beats):
                group.start_soon(anyio.sleep, 30)
            await poller.apause(0.02)
            assert turris_time.now == before
            await anyio.sleep(10)
            assert turris_time.now - before == 10 * SECOND
            group.cancel_scope.cancel()

    anyio.run(main, backend=backend)
    assert [sleep.duration for sleep in turris_time.sleeps] == [10 * SECOND]
    assert turris_time.really_slept == {"legacy.poller": 0.02}


@on_both_loops
def test_deadline_around_a_real_sleep_is_real(
    engine: str, backend: str, turris_time: TimeTravel
) -> None:
    """A deadline ends it after real seconds; the sleep does not go on behind it."""
    poller = module("legacy.poller")

    async def main() -> None:
        with anyio.move_on_after(0.02) as scope:
            await poller.apause(3_600)
        assert scope.cancelled_caught
        before = turris_time.now
        await anyio.sleep(10)
        assert turris_time.now - before == 10 * SECOND

    anyio.run(main, backend=backend)


@on_both_loops
def test_tasks_sleep_really_and_by_the_clock_at_once(
    engine: str, backend: str, turris_time: TimeTravel
) -> None:
    """The clock goes on when the real sleep is over."""
    poller, before = module("legacy.poller"), turris_time.now

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(poller.apause, 0.02)
            group.start_soon(anyio.sleep, 30)

    anyio.run(main, backend=backend)
    assert turris_time.now - before == 30 * SECOND


@on_both_loops
def test_server_really_sleeps(engine: str, backend: str, turris_time: TimeTravel) -> None:
    """Servers and the like look around in real time, and nothing of it is noted."""
    server, before = module("uvicorn.main"), turris_time.now
    server.pause(0.01)
    anyio.run(server.apause, 0.01, backend=backend)
    assert (turris_time.now, turris_time.sleeps, turris_time.really_slept) == (before, (), {})


def test_thread_that_joins_really(engine: str, turris_time: TimeTravel) -> None:
    """A timeout of ``join`` is real too, in a thread as in the test."""
    poller, before, seen = module("legacy.poller"), turris_time.now, list[bool]()
    over = threading.Event()
    waits = threading.Thread(target=over.wait)
    waits.start()

    def join() -> None:
        poller.join(waits, 0.01)
        seen.append(waits.is_alive())

    thread = threading.Thread(target=join)
    thread.start()
    thread.join()
    poller.join(waits, 0.01)
    assert (seen, waits.is_alive(), turris_time.now) == ([True], True, before)
    over.set()
    waits.join()


def test_names_of_modules_are_whole(engine: str, turris_time: TimeTravel) -> None:
    """A package that is left out has its modules left out; one whose name begins so is not."""
    before = turris_time.now
    module("otherwise").pause(20)
    assert turris_time.now - before == 20 * SECOND
    module("other.deep.inside").pause(0.01)
    time.sleep(10)
    assert turris_time.now - before == 30 * SECOND
    assert turris_time.really_slept == {"other.deep.inside": 0.01}
