"""The lock of a kept sandbox: changes under it are durable before another thread gets it."""

import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Any

from mock_server.store.errors import StoreError


class CommittingLock:
    """A reentrant lock that commits when its outermost holder releases it.

    So a request, a control or a delivery is one commit, whatever it consists of, and its answer is
    sent afterwards.

    Args:
        lock: The sandbox's own lock.
        begin: Brings the state up to date; the lock is held already.
        commit: Writes what has changed; the lock is still held.
        wait: For how many seconds it is waited for at most.
    """

    def __init__(
        self,
        lock: contextlib.AbstractContextManager[Any],
        begin: Callable[[], None],
        commit: Callable[[], None],
        *,
        wait: float,
    ) -> None:
        self._lock = lock
        self._begin = begin
        self._commit = commit
        self._wait = wait
        self._depth = 0

    def __enter__(self) -> bool:
        lock: Any = self._lock
        if not lock.acquire(timeout=self._wait):
            raise StoreError(f"another request has held the sandbox for {self._wait:g} s")
        self._depth += 1  # `begin` may take the lock too
        if self._depth == 1:
            try:
                self._begin()
            except BaseException:
                self._depth -= 1
                lock.release()
                raise
        return True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # Commit after an exception too: the changes before it stand.
            if self._depth == 1:
                self._commit()
        finally:
            self._depth -= 1
            self._lock.__exit__(None, None, None)
