"""The event loop of a test's synchronous side: its applications and its async hooks share it.

What an application opens when it starts belongs to the loop that it started on, so all requests
of one test run on the same loop. It is made when it is first needed, and closed when the test ends.
"""

import asyncio
import atexit
import contextvars
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from pytest_turris.process.steady_clock import MovableLoop, idle_loops
from pytest_turris.receivers.in_process.lifespan import shut_down

_Result = TypeVar("_Result")
Work = Callable[[], Coroutine[Any, Any, _Result]]


class Portal(Protocol):
    """Runs work of a worker thread on its event loop; anyio has such a portal."""

    def call(self, work: Work[_Result]) -> _Result:
        """Run work on that loop, and wait for its result."""
        ...


_portal: contextvars.ContextVar[Portal | None] = contextvars.ContextVar("portal", default=None)


@contextmanager
def through(portal: Portal) -> Iterator[None]:
    """Make ``run_async`` run everything on the loop behind a portal, inside the context."""
    token = _portal.set(portal)
    try:
        yield
    finally:
        _portal.reset(token)


def run_async(work: Work[_Result]) -> _Result:
    """Run a coroutine from synchronous code, and return its result.

    It runs on the test's loop, in this thread, or in another one if a loop runs here. If that
    loop is in use, as when a receiver sends a webhook itself, it runs on a loop of its own.
    """
    portal = _portal.get()
    if portal is not None and not loop_is_running():
        return portal.call(work)
    if not _shared.acquire():
        return _away_from_loops(lambda: _run_alone(work))
    try:
        return _away_from_loops(lambda: _shared.run(work))
    finally:
        _shared.release()


def is_through_portal() -> bool:
    """Whether this thread works for an event loop that the test runs."""
    return _portal.get() is not None


def has_loop() -> bool:
    """Whether tasks may be waiting on the test's loop, which runs only while it is used."""
    return _portal.get() is None and _shared.is_open


def run_if_idle(work: Work[_Result]) -> _Result | None:
    """Run a coroutine on the test's loop; None if that is not open, in use, or cannot run here."""
    if not has_loop() or loop_is_running() or not _shared.acquire():
        return None
    try:
        return _shared.run(work)
    finally:
        _shared.release()


def close_loop() -> None:
    """Shut down all started applications, and close the test's loop.

    Tasks that still run on it are cancelled.
    """
    _away_from_loops(shut_down)
    _away_from_loops(_shared.close)


class _SharedLoop:
    """A loop that one caller at a time may use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runner: asyncio.Runner | None = None

    @property
    def is_open(self) -> bool:
        return self._runner is not None

    def acquire(self) -> bool:
        return self._lock.acquire(blocking=False)

    def release(self) -> None:
        self._lock.release()

    def run(self, work: Work[_Result]) -> _Result:
        if self._runner is None:
            self._runner = _new_runner()
        # The runner's own context is that of its first use.
        return self._runner.run(work(), context=contextvars.copy_context())

    def close(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()


_shared = _SharedLoop()
atexit.register(close_loop)
idle_loops.append(run_if_idle)


def _new_runner() -> asyncio.Runner:
    # With a loop factory the runner does not touch the thread's current event loop.
    return asyncio.Runner(loop_factory=MovableLoop)


def _run_alone(work: Work[_Result]) -> _Result:
    with _new_runner() as runner:
        return runner.run(work(), context=contextvars.copy_context())


def _away_from_loops(step: Callable[[], _Result]) -> _Result:
    """Run a function in this thread, or in another one if a loop runs here."""
    if not loop_is_running():
        return step()
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(contextvars.copy_context().run, step).result()


def loop_is_running() -> bool:
    """Whether this thread runs a loop of asyncio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
