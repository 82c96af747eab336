"""Other processes under time travel: while the test waits for one, time stands."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

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
