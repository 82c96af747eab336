"""What never comes to wait: it holds up no move of the clock."""

import datetime as dt
import socket
import threading
import time

import anyio
import pytest
from doubles.heartbeat import Heartbeat

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.travel import TimeTravel

SECOND = dt.timedelta(seconds=1)
HOUR = dt.timedelta(hours=1)
pytestmark = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=pytest.mark.turris(time_engine=name))
        for name in ("freezegun", "time-machine")
    ],
)
on_both_loops = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def test_thread_that_wakes_too_often(
    engine: str, turris_time: TimeTravel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many turns it wakes once more, at the end of the move."""
    monkeypatch.setattr("pytest_turris.time_travel.scheduler.MAX_TURNS", 5)
    heart, before = Heartbeat(lambda: time.sleep(1)), turris_time.now
    turris_time.advance(HOUR)
    assert (turris_time.now - before, heart.beats) == (HOUR, 6)
    heart.stopped = True


def test_thread_that_wakes_too_often_while_the_test_sleeps(
    engine: str, turris_time: TimeTravel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for a sleep of the test."""
    monkeypatch.setattr("pytest_turris.time_travel.waits.MAX_TURNS", 5)
    heart, before = Heartbeat(lambda: time.sleep(1)), turris_time.now
    time.sleep(3_600)
    assert turris_time.now - before == HOUR
    heart.stopped = True
    assert 6 <= len(turris_time.sleeps) <= 7


def test_thread_that_never_waits(engine: str, turris_time: TimeTravel) -> None:
    """A thread that is busy all the time is not waited for."""
    before, over = turris_time.now, list[bool]()

    def work() -> None:
        while not over:
            pass

    thread = threading.Thread(target=work)
    thread.start()
    turris_time.advance(HOUR)
    assert turris_time.now - before == HOUR
    over.append(True)
    thread.join()


def test_thread_that_reads_after_its_sleep(engine: str, turris_time: TimeTravel) -> None:
    """A thread that the clock woke gets a moment for its answer, and the move goes on without."""
    before, got = turris_time.now, list[bytes]()
    ours, theirs = socket.socketpair()

    def read() -> None:
        time.sleep(30)
        got.append(theirs.recv(1))

    with ours, theirs:
        thread = threading.Thread(target=read)
        thread.start()
        turris_time.advance(HOUR)
        assert (turris_time.now - before, got) == (HOUR, [])
        ours.send(b"x")
        thread.join()
    assert got == [b"x"]


@on_both_loops
def test_task_that_never_waits(engine: str, backend: str, turris_time: TimeTravel) -> None:
    """A task that is busy all the time gets turns, and does not hold up ``aadvance``."""

    async def main() -> None:
        turns, before = list[None](), turris_time.now

        async def poll() -> None:
            while True:
                turns.append(None)
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as group:
            group.start_soon(poll)
            await turris_time.aadvance(HOUR)
            assert turris_time.now - before == HOUR
            assert len(turns) > 10
            group.cancel_scope.cancel()

    anyio.run(main, backend=backend)


@on_both_loops
def test_tasks_and_a_thread_that_reads(engine: str, backend: str, turris_time: TimeTravel) -> None:
    """Sleeps that the test's own task waits for pass, whatever another thread waits for."""
    ours, theirs = socket.socketpair()

    def read() -> None:
        theirs.recv(1)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 20)
            group.start_soon(anyio.sleep, 30)

    before, thread = turris_time.now, threading.Thread(target=read)
    with ours, theirs:
        thread.start()
        anyio.run(main, backend=backend)
        assert turris_time.now - before == 30 * SECOND
        ours.send(b"x")
        thread.join()


@on_both_loops
def test_deadline_beyond_the_budget_passes(
    engine: str, backend: str, turris_time: TimeTravel
) -> None:
    """A budget is for sleeps: a deadline that ends a wait for nothing is where that ends."""

    async def main() -> None:
        with anyio.move_on_after(7_200) as scope:
            await anyio.Event().wait()
        assert scope.cancelled_caught

    turris_time.limit_sleeps(SECOND)
    before = turris_time.now
    anyio.run(main, backend=backend)
    assert turris_time.now - before == 2 * HOUR


def test_timer_beyond_what_the_system_waits(engine: str, turris_time: TimeTravel) -> None:
    """A loop in a thread may have a timer that is a month away."""
    import asyncio

    before, loop, fired = turris_time.now, asyncio.new_event_loop(), threading.Event()
    thread = threading.Thread(target=loop.run_forever)
    loop.call_later(30 * 86_400, fired.set)
    thread.start()
    end = steady_time() + 0.02
    while steady_time() < end:
        pass
    assert (thread.is_alive(), fired.is_set()) == (True, False)
    turris_time.advance(days=31)
    assert fired.wait()
    assert turris_time.now - before == dt.timedelta(days=31)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
