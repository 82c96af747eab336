"""Does in a thread what could block the event loop, and so all clients of a server."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

_MOST = 16


def now_or_in_thread(
    lock: AbstractContextManager[object], work: Callable[[], T], *, is_long: bool
) -> T | Awaitable[T]:
    """Do something now, or return an awaitable that a thread completes.

    Args:
        lock: The reentrant lock that the work takes. If another thread has it, the work waits in a
            thread.
        work: What to do.
        is_long: Whether it may take long.
    """
    free: Any = lock  # the standard library does not name the type of a reentrant lock
    if is_long or not free.acquire(blocking=False):
        return asyncio.get_running_loop().run_in_executor(_threads(), work)
    try:
        return work()
    finally:
        free.release()


@cache
def _threads() -> ThreadPoolExecutor:
    """For all servers of this process; it starts no thread until one is needed."""
    return ThreadPoolExecutor(_MOST, "turris-request")
