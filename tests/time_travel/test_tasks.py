"""Tasks of asyncio and trio under time travel: sleeps, deadlines and what moves the clock."""

import asyncio
import datetime as dt
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
import outcome
import pytest
import trio

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.sleeps import SleptTooLongError
from pytest_turris.time_travel.travel import TimeTravel

SECOND = dt.timedelta(seconds=1)
MINUTE = dt.timedelta(minutes=1)
pytestmark = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=pytest.mark.turris(time_engine=name))
        for name in ("freezegun", "time-machine")
    ],
)
on_both_loops = pytest.mark.parametrize("backend", ["asyncio", "trio"])


async def work() -> None:
    """Be busy for a while, and let other tasks run."""
    end = steady_time() + 0.05
    while steady_time() < end:
        await anyio.lowlevel.checkpoint()


@on_both_loops
def test_task_in_the_background_never_moves_the_clock(
    engine: str, backend: str, turris_time: TimeTravel
) -> None:
    """However long the test works, time stands; the task wakes when the test sleeps past it."""

    async def main() -> None:
        beats = list[dt.timedelta]()
        before = turris_time.now

        async def beat() -> None:
            while True:
                await anyio.sleep(50)
                beats.append(turris_time.now - before)

        async with anyio.create_task_group() as group:
            group.start_soon(beat)
            await work()
            assert (turris_time.now, beats) == (before, [])
            await anyio.sleep(120)
            assert beats == [50 * SECOND, 100 * SECOND]
            await turris_time.aadvance(seconds=60)
            assert beats[2:] == [150 * SECOND]
            assert turris_time.now - before == 3 * MINUTE
            group.cancel_scope.cancel()

    anyio.run(main, backend=backend)


@on_both_loops
def test_sleeps_at_once_overlap_and_end_in_order(
    engine: str, backend: str, turris_time: TimeTravel
) -> None:
    """Tasks that sleep at once pass the longest of their times, and wake by their due times."""

    async def main() -> list[int]:
        woke = list[int]()

        async def sleeper(seconds: int) -> None:
            await anyio.sleep(seconds)
            woke.append(seconds)

        async with anyio.create_task_group() as group:
            for seconds in (30, 10, 60, 20):
                group.start_soon(sleeper, seconds)
        return woke

    before = turris_time.now
    assert anyio.run(main, backend=backend) == [10, 20, 30, 60]
    assert turris_time.now - before == MINUTE == turris_time.slept


def test_gather_overlaps(engine: str, turris_time: TimeTravel) -> None:
    """Ten sleeps of a minute are one minute."""

    async def main() -> None:
        await asyncio.gather(*(asyncio.sleep(60) for _ in range(10)))

    before = turris_time.now
    asyncio.run(main())
    assert turris_time.now - before == MINUTE
    assert len(turris_time.sleeps) == 10


async def _asyncio_timeout() -> None:
    async with asyncio.timeout(7):
        await asyncio.sleep(60)


async def _wait_for() -> None:
    await asyncio.wait_for(asyncio.sleep(60), 7)


async def _fail_after() -> None:
    with anyio.fail_after(7):
        await anyio.sleep(60)


async def _queue_get() -> None:
    await asyncio.wait_for(asyncio.Queue[int]().get(), 7)


async def _nested() -> None:
    async with asyncio.timeout(90), asyncio.timeout(7), asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(60))
        group.create_task(asyncio.sleep(8))


async def _retries() -> None:
    async with asyncio.timeout(7):
        while True:  # noqa: ASYNC110 - as clients poll
            await asyncio.sleep(2)


@pytest.mark.parametrize(
    "call", [_asyncio_timeout, _wait_for, _fail_after, _queue_get, _nested, _retries]
)
def test_deadline_within_a_sleep_ends_it(
    engine: str, call: Callable[[], Awaitable[None]], turris_time: TimeTravel
) -> None:
    """The deadline comes first, at its own moment."""
    before = turris_time.now
    with pytest.raises(TimeoutError):
        asyncio.run(call())  # type: ignore[arg-type] # each is a coroutine
    assert turris_time.now - before == 7 * SECOND


@pytest.mark.parametrize("wait", [trio.fail_after, trio.move_on_after])
def test_deadline_of_trio_ends_a_sleep(
    engine: str, wait: Callable[[float], Any], turris_time: TimeTravel
) -> None:
    """The same in trio."""

    async def main() -> None:
        try:
            with wait(7):
                await trio.sleep(60)
        except trio.TooSlowError:
            pass

    before = turris_time.now
    trio.run(main)
    assert turris_time.now - before == 7 * SECOND


def _in_queue(main: Callable[[], Awaitable[object]]) -> object:
    """Run Trio as a guest of a loop of callbacks, as anyio's pytest plugin does."""
    calls = queue.Queue[Callable[[], object]]()
    ended = list[outcome.Outcome[object]]()
    trio.lowlevel.start_guest_run(
        main,
        run_sync_soon_threadsafe=calls.put,
        done_callback=ended.append,
        host_uses_signal_set_wakeup_fd=True,
    )
    while not ended:
        calls.get()()
    return ended[0].unwrap()


def _in_asyncio(main: Callable[[], Awaitable[object]]) -> object:
    """Run Trio as a guest of asyncio."""

    async def host() -> object:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[outcome.Outcome[object]] = loop.create_future()
        trio.lowlevel.start_guest_run(
            main,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=ended.set_result,
            host_uses_signal_set_wakeup_fd=True,
        )
        return (await ended).unwrap()

    return asyncio.run(host())


in_each_host = pytest.mark.parametrize("run", [_in_queue, _in_asyncio])


@in_each_host
def test_guest_run_sleeps(engine: str, run: Callable[..., Any], turris_time: TimeTravel) -> None:
    """Sleeps of a guest run pass at once, in order, and no further than the longest."""

    async def main() -> list[int]:
        woke = list[int]()

        async def sleeper(seconds: int) -> None:
            await trio.sleep(seconds)
            woke.append(seconds)

        async with trio.open_nursery() as nursery:
            for seconds in (30, 10, 60):
                nursery.start_soon(sleeper, seconds)
        for _ in range(20):
            await trio.sleep(1)
        return woke

    before = turris_time.now
    assert run(main) == [10, 30, 60]
    assert turris_time.now - before == 80 * SECOND


@in_each_host
def test_deadline_of_a_guest_run(
    engine: str, run: Callable[..., Any], turris_time: TimeTravel
) -> None:
    """A deadline ends a sleep and a wait of a guest run at its own moment."""

    async def main() -> bool:
        with trio.move_on_after(7) as sleeping:
            await trio.sleep(60)
        with trio.move_on_after(5) as waiting:
            await trio.Event().wait()
        with trio.move_on_after(3600) as early:
            await trio.sleep(1)
        return (sleeping.cancelled_caught, waiting.cancelled_caught, early.cancelled_caught) == (
            True,
            True,
            False,
        )

    before = turris_time.now
    assert run(main)
    assert turris_time.now - before == 13 * SECOND


@in_each_host
def test_guest_run_waits_for_a_socket(
    engine: str, run: Callable[..., Any], turris_server: Server, turris_time: TimeTravel
) -> None:
    """While a guest run waits for an answer time stands, whatever deadline is far away."""

    async def main() -> None:
        url = f"{turris_server.base_url}/.well-known/jwks.json"
        with trio.fail_after(7200):
            async with httpx.AsyncClient() as http:
                for _ in range(5):
                    assert (await http.get(url)).status_code == 200

    before = turris_time.now
    run(main)
    assert turris_time.now == before


def test_call_later_fires_when_the_clock_passes(engine: str, turris_time: TimeTravel) -> None:
    """Callbacks of the loop run at their moments, on the way of a sleep."""

    async def main() -> list[tuple[str, dt.timedelta]]:
        fired, before = list[tuple[str, dt.timedelta]](), turris_time.now
        loop = asyncio.get_running_loop()
        for name, delay in (("b", 20), ("a", 10), ("never", 90)):
            loop.call_later(delay, lambda n=name: fired.append((n, turris_time.now - before)))  # type: ignore[misc] # of mypy
        await asyncio.sleep(60)
        return fired

    assert asyncio.run(main()) == [("a", 10 * SECOND), ("b", 20 * SECOND)]


@on_both_loops
def test_thread_of_a_task_sleeps(engine: str, backend: str, turris_time: TimeTravel) -> None:
    """A task that waits for a thread waits for its sleep, and other tasks run meanwhile."""

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, time.sleep, 60)
            group.start_soon(anyio.to_thread.run_sync, time.sleep, 40)
            group.start_soon(anyio.sleep, 50)

    before = turris_time.now
    anyio.run(main, backend=backend)
    assert turris_time.now - before == MINUTE
    assert [sleep.duration / SECOND for sleep in turris_time.sleeps] == [40, 50, 60]


def test_loop_in_a_thread(engine: str, turris_time: TimeTravel) -> None:
    """A sync face on async code: the call waits for a task of a loop in another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    beats = list[int]()

    async def beat() -> None:
        while True:
            await asyncio.sleep(20)
            beats.append(1)

    before = turris_time.now
    task = asyncio.run_coroutine_threadsafe(beat(), loop)
    end = steady_time() + 0.05
    while steady_time() < end:
        pass
    assert (turris_time.now, beats) == (before, [])
    asyncio.run_coroutine_threadsafe(asyncio.sleep(50), loop).result()
    assert (turris_time.now - before, beats) == (50 * SECOND, [1, 1])
    turris_time.advance(seconds=30)
    assert beats == [1, 1, 1, 1]
    task.cancel()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    for task_of_loop in asyncio.all_tasks(loop):
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task_of_loop)
    loop.close()


@on_both_loops
def test_socket_is_waited_for_in_real_time(
    engine: str, backend: str, turris_server: Server, turris_time: TimeTravel
) -> None:
    """While a task waits for an answer time stands; a sleep in between passes at once."""

    async def main() -> None:
        async def beat() -> None:
            while True:  # noqa: ASYNC110 - as a heartbeat does
                await anyio.sleep(30)

        url = f"{turris_server.base_url}/.well-known/jwks.json"
        async with anyio.create_task_group() as group, httpx.AsyncClient() as http:
            group.start_soon(beat)
            before = turris_time.now
            for _ in range(5):
                assert (await http.get(url)).status_code == 200
            assert turris_time.now == before
            await anyio.sleep(45)
            assert turris_time.now - before == 45 * SECOND
            assert (await http.get(url)).status_code == 200
            assert turris_time.now - before == 45 * SECOND
            group.cancel_scope.cancel()

    anyio.run(main, backend=backend)


@on_both_loops
def test_endless_sleep_is_refused_where_it_is(
    engine: str, backend: str, turris_time: TimeTravel
) -> None:
    """A task that would never come back gets the error, unless a deadline ends it."""

    async def main() -> None:
        with anyio.move_on_after(5):
            await anyio.sleep(1e10)  # noqa: ASYNC116 - this is what is refused
        await anyio.sleep(1e10)  # noqa: ASYNC116 - this is what is refused

    with pytest.raises(SleptTooLongError, match=r"sleep\(1e\+10\) in .*test_tasks.*ten years"):
        anyio.run(main, backend=backend)


def test_sleep_on_a_loop_with_its_own_time(engine: str, turris_time: TimeTravel) -> None:
    """A loop that keeps its own time cannot be moved; a sleep on it passes all the same."""

    class Own(asyncio.SelectorEventLoop):
        def time(self) -> float:
            return steady_time()

    before = turris_time.now
    with asyncio.Runner(loop_factory=Own) as runner:
        assert runner.run(asyncio.sleep(60, "result")) == "result"
    assert turris_time.now - before == MINUTE


# It begins a travel of its own, with the engine of the option.
@pytest.mark.filterwarnings("ignore:turris marker")
def test_timers_of_a_loop_that_outlives_the_travel(engine: str, turris: Sandbox) -> None:
    """Afterwards what still sleeps sleeps for the rest of its time, really."""
    loop = asyncio.new_event_loop()
    travel = TimeTravel(turris)
    travel.start()
    fired = list[str]()
    try:
        loop.call_later(3600.02, fired.append, "timer")
        task = loop.create_task(asyncio.sleep(3600.01))
        loop.run_until_complete(asyncio.sleep(0))
        travel.advance(hours=1)
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        travel.stop()
    assert (fired, task.done()) == ([], False)
    loop.run_until_complete(task)
    loop.run_until_complete(asyncio.sleep(0.05))
    assert fired == ["timer"]
    loop.close()
