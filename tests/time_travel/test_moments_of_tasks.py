"""Moments of tasks: what ends at once, what other threads hand over, and moves in a coroutine."""

import _thread
import asyncio
import datetime as dt
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import anyio
import pytest
import trio

from pytest_turris.time_travel.blocking import real_sleep
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


@on_both_loops
def test_sleep_that_is_cancelled_at_the_moment_it_ends(
    engine: str, backend: str, turris_time: TimeTravel
) -> None:
    """A task that the clock has woken, and that is cancelled before its turn, is cancelled."""
    ended = list[str]()

    async def sleep() -> None:
        try:
            await anyio.sleep(10)
            ended.append("slept")
        except anyio.get_cancelled_exc_class():
            ended.append("cancelled")
            raise

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(sleep)
            await turris_time.aadvance(seconds=0)
            turris_time.advance(seconds=10)
            group.cancel_scope.cancel()

    anyio.run(main, backend=backend)
    assert (ended, len(turris_time.sleeps)) == (["cancelled"], 1)


class Compiled(Coroutine[Any, Any, Any]):
    """A coroutine as compilers such as Cython make it: without frames."""

    def __init__(self, inner: Coroutine[Any, Any, Any]) -> None:
        self._inner = inner

    def send(self, value: Any) -> Any:
        """Go on."""
        return self._inner.send(value)

    def throw(self, *error: Any) -> Any:
        """Go on with an error."""
        return self._inner.throw(*error)

    def close(self) -> None:
        """End."""
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()


@pytest.mark.parametrize("kind", [lambda inner: inner, Compiled], ids=["native", "compiled"])
def test_future_of_any_kind_is_waited_for(
    engine: str, kind: Callable[[Coroutine[Any, Any, Any]], Any], turris_time: TimeTravel
) -> None:
    """What ends a future is not known, so time stands while a socket could; a sleep is known."""
    ours, theirs = socket.socketpair()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        got: asyncio.Future[bytes] = loop.create_future()
        loop.add_reader(ours, lambda: got.set_result(ours.recv(1)))
        heart = loop.create_task(asyncio.sleep(30))

        async def wait() -> bytes:
            return await got

        def send() -> None:
            real_sleep(0.02)
            theirs.send(b"x")

        before = turris_time.now
        _thread.start_new_thread(send, ())
        assert await kind(wait()) == b"x"
        assert turris_time.now == before
        loop.remove_reader(ours)
        heart.cancel()
        await kind(asyncio.sleep(10))
        assert turris_time.now - before == 10 * SECOND

    with ours, theirs:
        asyncio.run(kind(main()))


def test_wait_for_several_tasks(engine: str, turris_time: TimeTravel) -> None:
    """``asyncio.wait`` waits for the last of them, when others are done."""

    async def main() -> set[int]:
        async def sleep(seconds: int) -> int:
            await asyncio.sleep(seconds)
            return seconds

        tasks = [asyncio.ensure_future(sleep(seconds)) for seconds in (60, 10, 20)]
        done, _ = await asyncio.wait(tasks)
        return {task.result() for task in done}

    before = turris_time.now
    assert asyncio.run(main()) == {10, 20, 60}
    assert turris_time.now - before == 60 * SECOND


def test_thread_is_waited_for_beside_an_open_connection(
    engine: str, turris_time: TimeTravel
) -> None:
    """A connection that is open, but not waited for, does not hold up the clock."""
    ours, theirs = socket.socketpair()

    async def main() -> None:
        _, writer = await asyncio.open_connection(sock=ours)
        await asyncio.to_thread(time.sleep, 60)
        writer.close()
        await writer.wait_closed()

    before = turris_time.now
    asyncio.run(main())
    theirs.close()
    assert turris_time.now - before == 60 * SECOND


@on_both_loops
def test_what_a_thread_hands_over_comes_before_a_move(
    engine: str, backend: str, turris_time: TimeTravel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that ends what the test waits for, at the last moment, leaves the clock alone."""

    def handing(event: anyio.Event) -> Callable[[], object]:
        if backend == "trio":
            token = trio.lowlevel.current_trio_token()
            return lambda: token.run_sync_soon(event.set)
        loop = asyncio.get_running_loop()
        return lambda: loop.call_soon_threadsafe(event.set)

    async def main() -> None:
        event, before, asked = anyio.Event(), turris_time.now, list[int]()
        hand_over = handing(event)

        def all_wait(but: int) -> bool:
            if not asked:
                hand_over()
            asked.append(but)
            return True

        monkeypatch.setattr(turris_time._scheduler.threads, "all_wait", all_wait)
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 30)
            await event.wait()
            assert turris_time.now == before
            assert asked
            group.cancel_scope.cancel()

    anyio.run(main, backend=backend)


@on_both_loops
def test_loop_in_a_thread_wakes_at_each_moment(
    engine: str, backend: str, turris_time: TimeTravel
) -> None:
    """On the way of a move, sleeps and deadlines of a loop in another thread end in their turn."""
    before, seen, begun = turris_time.now, list[dt.timedelta](), threading.Event()

    async def beat() -> None:
        begun.set()
        for _ in range(10):
            await anyio.sleep(20)
            seen.append(turris_time.now - before)
            with anyio.move_on_after(10):
                await anyio.Event().wait()
            seen.append(turris_time.now - before)

    thread = threading.Thread(target=anyio.run, args=(beat,), kwargs={"backend": backend})
    thread.start()
    begun.wait()
    turris_time.advance(HOUR)
    thread.join()
    assert seen == [n * 10 * SECOND for n in range(1, 31) if n % 3 != 1]


def test_wait_for_what_no_clock_ends(engine: str, turris_time: TimeTravel) -> None:
    """Where nothing waits for the clock, it stands, and the test waits in real time."""
    before, event = turris_time.now, threading.Event()

    def end() -> None:
        real_sleep(0.02)
        event.set()

    _thread.start_new_thread(end, ())
    assert event.wait()
    assert turris_time.now == before


@on_both_loops
def test_moves_in_a_coroutine(engine: str, backend: str, turris_time: TimeTravel) -> None:
    """``amove_to`` goes forward by way of what is due, and back; both go where nothing waits."""
    seen = list[dt.timedelta]()

    async def main() -> None:
        before = turris_time.now

        async def beat() -> None:
            for _ in range(2):
                await anyio.sleep(50)
                seen.append(turris_time.now - before)

        assert await turris_time.aadvance(HOUR) == before + HOUR
        assert await turris_time.amove_to(before) == before
        async with anyio.create_task_group() as group:
            group.start_soon(beat)
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
            await turris_time.amove_to(before + 60 * SECOND)
            assert turris_time.now - before == 60 * SECOND
            await turris_time.amove_to(before + 100 * SECOND)

    anyio.run(main, backend=backend)
    assert seen == [50 * SECOND, 100 * SECOND]


@on_both_loops
def test_move_in_a_coroutine_stops_at_deadlines(
    engine: str, backend: str, turris_time: TimeTravel
) -> None:
    """A refresher that waits for its stop with a deadline works at each of its moments."""
    start, woke = turris_time.now, list[float]()

    async def refresh(stop: anyio.Event) -> None:
        while True:
            with anyio.move_on_after(50 * 60):
                await stop.wait()
                return
            woke.append((turris_time.now - start) / SECOND)

    async def main() -> None:
        stop = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(refresh, stop)
            await turris_time.aadvance(minutes=101)
            stop.set()

    anyio.run(main, backend=backend)
    # A loop's time is a float, of which trio takes the last digit seriously.
    assert woke == pytest.approx([50 * 60, 100 * 60], abs=1e-5)
    assert turris_time.now - start == dt.timedelta(minutes=101)


def test_move_in_a_coroutine_stops_at_timers(engine: str, turris_time: TimeTravel) -> None:
    """Sleeps and callbacks of the loop have their turns in the order of their moments."""
    start, woke = turris_time.now, list[tuple[str, float]]()

    def note(what: str) -> None:
        woke.append((what, (turris_time.now - start).total_seconds()))

    async def sleep() -> None:
        await asyncio.sleep(3_500)
        note("sleep")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(3_000, note, "early")
        loop.call_later(1, note, "cancelled").cancel()
        loop.call_later(9_000, note, "too late")
        task = asyncio.create_task(sleep())
        await asyncio.sleep(0)
        await turris_time.aadvance(seconds=6_000)
        await task

    asyncio.run(main())
    assert woke == [("early", 3_000), ("sleep", 3_500)]
