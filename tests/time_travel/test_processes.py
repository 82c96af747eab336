"""Other processes under time travel: while the test waits for one, time stands."""

import asyncio
import concurrent.futures
import multiprocessing
import os
import select
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.pool import Pool

import anyio
import pytest
from doubles.heartbeat import Heartbeat

from pytest_turris.time_travel import threads
from pytest_turris.time_travel.travel import TimeTravel

pytestmark = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=pytest.mark.turris(time_engine=name))
        for name in ("freezegun", "time-machine")
    ],
)
SHORT = (sys.executable, "-c", "import time; time.sleep(0.3); print()")
ENDLESS = (sys.executable, "-c", "input()")


async def _end() -> None:
    process = await asyncio.create_subprocess_exec(*SHORT, stdout=asyncio.subprocess.DEVNULL)
    await process.wait()


async def _end_before_a_deadline() -> None:
    async with asyncio.timeout(30):
        await _end()


async def _waits_for_a_process() -> None:
    await asyncio.wait_for(_end(), 30)


async def _waits_for_a_task_that_does() -> None:
    ended = asyncio.Event()
    task = asyncio.create_task(_end())
    task.add_done_callback(lambda _: ended.set())
    await asyncio.wait_for(ended.wait(), 30)


async def _waits_with_anyio() -> None:
    with anyio.fail_after(30):
        async with await anyio.open_process(SHORT, stdin=None, stdout=None, stderr=None) as process:
            await process.wait()


async def _waits_next_to_a_heartbeat() -> None:
    async with asyncio.TaskGroup() as group:
        beats = group.create_task(_beat())
        await _end()
        beats.cancel()


async def _beat() -> None:
    while True:  # noqa: ASYNC110 - as a heartbeat does
        await asyncio.sleep(10)


@pytest.mark.parametrize(
    "wait",
    [
        _end_before_a_deadline,
        _waits_for_a_process,
        _waits_for_a_task_that_does,
        _waits_with_anyio,
        _waits_next_to_a_heartbeat,
    ],
)
def test_end_of_a_process_is_waited_for_in_real_time(
    engine: str, wait: Callable[[], Awaitable[None]], turris_time: TimeTravel
) -> None:
    """However far away a deadline or a sleep is, asyncio waits for the process."""
    before = turris_time.now
    asyncio.run(wait())  # type: ignore[arg-type] # each is a coroutine
    assert turris_time.now == before


def test_end_of_a_process_where_the_system_tells_nothing(
    engine: str, monkeypatch: pytest.MonkeyPatch, turris_time: TimeTravel
) -> None:
    """Where no system calls of threads can be read, the task still shows that it waits for it."""
    monkeypatch.setattr(threads, "system_call_of", lambda _: [])
    before = turris_time.now
    asyncio.run(_waits_for_a_task_that_does())
    assert turris_time.now == before


def test_deadline_around_a_process_ends_after_real_seconds(
    engine: str, turris_time: TimeTravel
) -> None:
    """A process that never ends is given up, and the clock stands meanwhile."""

    async def main() -> None:
        process = await asyncio.create_subprocess_exec(*ENDLESS, stdin=asyncio.subprocess.PIPE)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.wait(), 0.05)
        await process.communicate(b"\n")

    before = turris_time.now
    asyncio.run(main())
    assert turris_time.now == before


@pytest.mark.parametrize("waits_for", ["end", "output"])
def test_c_function_in_a_pool_is_waited_for(
    engine: str, waits_for: str, turris_time: TimeTravel
) -> None:
    """A thread of a pool that waits for a process in C counts, without any code of the test."""
    before, (output, theirs) = turris_time.now, os.pipe()
    os.set_inheritable(theirs, True)
    child = os.posix_spawn(
        SHORT[0], SHORT, dict(os.environ), file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 1)]
    )
    os.close(theirs)
    with ThreadPoolExecutor(1) as pool:
        if waits_for == "output":
            assert pool.submit(os.read, output, 1).result(timeout=60) == b"\n"
        assert pool.submit(os.waitpid, child, 0).result(timeout=60) == (child, 0)
        assert turris_time.now == before
        pool.submit(time.sleep, 60).result()
        assert (turris_time.now - before).total_seconds() == 60
    os.close(output)


PROCESSES = multiprocessing.get_context("spawn")
WORK: Callable[..., object] = select.select
"""What another process does."""
ARGUMENTS = ((), (), (), 0.2)


@pytest.fixture
def heart(turris_time: TimeTravel) -> Iterator[Heartbeat]:
    """A thread that sleeps again and again."""
    found = Heartbeat(lambda: time.sleep(30))
    yield found
    found.stopped = True


def _result(executor: ProcessPoolExecutor) -> None:
    assert executor.submit(WORK, *ARGUMENTS).result(timeout=60)


def _wait(executor: ProcessPoolExecutor) -> None:
    future = executor.submit(WORK, *ARGUMENTS)
    assert concurrent.futures.wait([future], timeout=60).done == {future}


def _map(executor: ProcessPoolExecutor) -> None:
    assert list(executor.map(WORK, *zip(ARGUMENTS, ARGUMENTS, strict=True), timeout=60))


def _task(executor: ProcessPoolExecutor) -> None:
    async def main() -> None:
        work = asyncio.get_running_loop().run_in_executor(executor, WORK, *ARGUMENTS)
        assert await asyncio.wait_for(work, 30)

    asyncio.run(main())


@pytest.mark.parametrize("wait", [_result, _wait, _map, _task])
def test_executor_of_processes_is_waited_for_in_real_time(
    engine: str,
    wait: Callable[[ProcessPoolExecutor], None],
    heart: Heartbeat,
    turris_time: TimeTravel,
) -> None:
    """While another process works, or ends, time stands, whatever timeout or sleep is far away."""
    before = turris_time.now
    with ProcessPoolExecutor(1, PROCESSES) as executor:
        wait(executor)
    assert (turris_time.now, heart.beats) == (before, 0)


def _get(pool: Pool) -> None:
    assert pool.apply_async(WORK, ARGUMENTS).get(timeout=60)


def _apply(pool: Pool) -> None:
    assert pool.apply(WORK, ARGUMENTS)


@pytest.mark.parametrize("wait", [_get, _apply])
def test_pool_of_processes_is_waited_for_in_real_time(
    engine: str, wait: Callable[[Pool], None], heart: Heartbeat, turris_time: TimeTravel
) -> None:
    """The same for a pool of ``multiprocessing``."""
    before = turris_time.now
    with PROCESSES.Pool(1) as pool:
        wait(pool)
    assert (turris_time.now, heart.beats) == (before, 0)


@pytest.mark.parametrize("waits_for", ["end", "message"])
def test_thread_that_waits_for_a_process_is_waited_for(
    engine: str, waits_for: str, heart: Heartbeat, turris_time: TimeTravel
) -> None:
    """A method of ``multiprocessing`` in a thread of a pool waits for something real."""
    before, (own, theirs) = turris_time.now, PROCESSES.Pipe()
    process = PROCESSES.Process(target=_send, args=(theirs,))
    process.start()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(process.join if waits_for == "end" else own.recv).result(timeout=60)
    assert (turris_time.now, heart.beats) == (before, 0)
    process.join()


def _send(connection: object) -> None:
    WORK(*ARGUMENTS)
    connection.send(1)  # type: ignore[attr-defined] # its type differs between systems


def test_pools_without_work_are_not_waited_for(engine: str, turris_time: TimeTravel) -> None:
    """Their threads wait for results as long as they exist, and time passes meanwhile."""
    before = turris_time.now
    with ProcessPoolExecutor(1, PROCESSES) as executor, PROCESSES.Pool(1) as pool:
        _result(executor)
        _apply(pool)
        assert not threading.Event().wait(60)
        assert (turris_time.now - before).total_seconds() == 60
