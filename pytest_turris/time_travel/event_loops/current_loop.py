"""The event loop that runs the current coroutine, of asyncio or of trio."""

import asyncio
import contextlib
import math
import sys
import threading
from collections.abc import Iterator
from typing import Any

from pytest_turris.time_travel.event_loops import trio_runs
from pytest_turris.time_travel.event_loops.loops import (
    call_after,
    is_moved,
    real_asyncio_sleep,
    time_left,
)
from pytest_turris.time_travel.scheduler import Scheduler
from pytest_turris.time_travel.waits import TURNS

_ANSWERS = 100
"""How often tasks go on with an answer that came while time stands: some never stop to ask."""


@contextlib.contextmanager
def real_deadline(seconds: float) -> Iterator[Any]:
    """Cancel what runs inside after real seconds, on asyncio and trio; yields anyio's scope."""
    import anyio  # noqa: PLC0415 - only async code needs it

    with anyio.CancelScope() as scope:
        after = trio_runs.trio_call_after if _runs_trio() else call_after
        cancel = after(seconds, scope.cancel)
        try:
            yield scope
        finally:
            cancel()


async def let_tasks_run() -> None:
    """Let the other tasks of the running loop run until each waits.

    They go on with what another thread answers: a server of this process, or one of a pool.
    """
    for _ in range(_ANSWERS):
        await _let_own_tasks_run()
        if not _is_answered():
            break


async def _let_own_tasks_run() -> None:
    if _runs_trio():
        await trio_runs.let_trio_tasks_run()
        return
    loop: Any = asyncio.get_running_loop()
    await real_asyncio_sleep(0, None)
    for _ in range(TURNS):
        if not getattr(loop, "_ready", ()):
            break
        await real_asyncio_sleep(0, None)


def _is_answered() -> bool:
    """Let the other threads run until each waits; whether one has handed something to the loop."""
    scheduler = Scheduler.current
    if scheduler is None or threading.active_count() == 1:
        return False
    scheduler.settle()
    if _runs_trio():
        return trio_runs.has_events()
    loop: Any = asyncio.get_running_loop()
    return is_moved(loop) and bool(loop._ready or loop._selector.select(0))  # noqa: SLF001 - asyncio's own


def time_to_next_timer() -> float:
    """Seconds until the next timer of the running loop; infinite if none moves with the clock."""
    if _runs_trio():
        return trio_runs.time_to_next_deadline()
    loop = asyncio.get_running_loop()
    return time_left(loop) if is_moved(loop) else math.inf


def _runs_trio() -> bool:
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_run())
