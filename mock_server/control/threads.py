"""Does in a thread what could block the event loop, and so all clients of a server."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

_MOST = 16
_MOST_SENDING = 64
_MOST_SENDING_OF_ONE = 8


class InTurn:
    """The work of one tenant: at most one thread at a time, so that other tenants find one."""

    def __init__(self) -> None:
        self._last: asyncio.Future[Any] | None = None

    def now_or_in_thread(
        self, lock: AbstractContextManager[object], work: Callable[[], T], *, is_long: bool
    ) -> T | Awaitable[T]:
        """Do something now, or return an awaitable that a thread completes, in turn.

        Args:
            lock: The reentrant lock that the work takes. If another thread has it, the work waits
                in a thread.
            work: What to do.
            is_long: Whether it may take long.
        """
        free: Any = lock  # the standard library does not name the type of a reentrant lock
        if is_long or self._is_busy or not free.acquire(blocking=False):
            before = self._last if self._is_busy else None
            self._last = asyncio.ensure_future(_after(before, work))
            return self._last
        try:
            return work()
        finally:
            free.release()

    @property
    def _is_busy(self) -> bool:
        return self._last is not None and not self._last.done()


async def _after(before: "asyncio.Future[Any] | None", work: Callable[[], T]) -> T:
    """Do something in a thread once what came before it has ended, in whatever way."""
    if before is not None:
        await asyncio.wait([before])
    return await asyncio.get_running_loop().run_in_executor(_threads(), work)


class Sending:
    """The work of one tenant that waits for receivers, who may be slow or dead.

    Few of its threads do so at a time, so that other tenants find one.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(_MOST_SENDING_OF_ONE)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do something in a thread, once one is free."""
        async with self._free:
            return await asyncio.get_running_loop().run_in_executor(_sending_threads(), work)


@cache
def _sending_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_MOST_SENDING, "turris-sending")


@cache
def _threads() -> ThreadPoolExecutor:
    """For all servers of this process; it starts no thread until one is needed."""
    return ThreadPoolExecutor(_MOST, "turris-request")
