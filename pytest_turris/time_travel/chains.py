"""What the tasks of an event loop wait for, down the whole chain of awaits.

A loop waits for a sleep if everything that its main task awaits ends at one. If it is unknown what
a task waits for, and a socket is open, it counts as waiting for that.
"""

import asyncio
import sys
from collections.abc import Callable, Container, Iterable, Iterator
from types import CoroutineType, FrameType, GeneratorType
from typing import Any, Literal

Leaf = Literal["sleep", "pause", "process", "task", "real"]
"""Waits for the clock; for real time; for the end of a process; for another task or thread; or
perhaps for something real."""

_TASKS = frozenset({
    "Barrier._block", "Barrier._wait", "Condition.wait", "Lock.acquire", "Queue.get", "Queue.join",
    "Queue.put", "Semaphore.acquire", "_wait", "run_sync_in_worker_thread", "shield",
    "to_thread", "wait_for",
})  # fmt: skip
"""Functions of asyncio and anyio that wait for tasks or threads, never for a socket."""
_WAITED = {"_wait": "fs", "wait_for": "fut"}
_GROUP = "TaskGroup.__aexit__"
_PROCESS = "BaseSubprocessTransport._wait"
"""Before Python 3.12 a thread waits for the process, and the loop looks at nothing meanwhile."""


class Chains:
    """What tasks await.

    Args:
        asleep: Whether the clock ends what is awaited.
        pauses: What real time ends.
    """

    def __init__(self, asleep: Callable[[object], bool], pauses: Container[object]) -> None:
        self._asleep = asleep
        self._pauses = pauses

    def waits_for(self, main: Any, tasks: Iterable[Any], *, sockets: bool) -> Leaf:  # noqa: ANN401 - a future
        """What an idle loop waits for.

        Args:
            main: The future that it runs until; None if that is not known.
            tasks: All its tasks.
            sockets: Whether it looks at a socket.
        """
        known = isinstance(main, asyncio.Task)
        found: set[Leaf] = set(self._leaves(main, set())) if known else {"task"}
        if found == {"sleep"}:
            return "sleep"
        if "pause" in found:
            return "real"
        if not sockets or found != {"real"}:
            found = {leaf for task in tasks for leaf in self._leaves(task, set())}
        return "real" if "process" in found or (sockets and "real" in found) else "task"

    def _leaves(self, awaited: Any, seen: set[int]) -> Iterator[Leaf]:  # noqa: ANN401 - a future
        if id(awaited) in seen or awaited.done():
            return
        seen.add(id(awaited))
        if self._asleep(awaited):
            yield "sleep"
        elif awaited in self._pauses:
            yield "pause"
        elif children := getattr(awaited, "_children", None):  # of gather
            for child in children:
                yield from self._leaves(child, seen)
        elif not isinstance(awaited, asyncio.Task):
            yield "task" if _is_of_a_thread(awaited) else "real"
        elif (waiter := getattr(awaited, "_fut_waiter", None)) is not None:
            yield from self._of_task(awaited, waiter, seen)
        else:  # pragma: no cover - another thread had it run on at this moment
            yield "task"

    def _of_task(self, task: Any, waiter: Any, seen: set[int]) -> Iterator[Leaf]:  # noqa: ANN401 - futures
        leaves = set(self._leaves(waiter, seen))
        if leaves != {"real"}:
            yield from leaves
            return
        frame = next(reversed([*frames(task.get_coro())]), None)
        name = frame.f_code.co_qualname if frame else ""
        if frame is None or str(frame.f_globals.get("__name__")).partition(".")[0] not in (
            "asyncio",
            "anyio",
        ):
            yield "real"
        elif name == _PROCESS:
            yield "process"
        elif name == _GROUP:
            for child in list(getattr(frame.f_locals["self"], "_tasks", ())):
                yield from self._leaves(child, seen)
        elif (waited := _WAITED.get(name)) is not None:
            futures = frame.f_locals.get(waited, ())
            for child in [futures] if waited == "fut" else list(futures):
                yield from self._leaves(child, seen)
        else:
            yield "task" if name in _TASKS else "real"


def frames(coroutine: Any) -> Iterator[FrameType]:  # noqa: ANN401 - a coroutine or what behaves so
    """Where a coroutine waits: its frames, from the outermost to the innermost."""
    while coroutine is not None:
        own = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if own is not None:
            yield own
        inner = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
        coroutine = inner if isinstance(inner, CoroutineType | GeneratorType) else None


def _is_of_a_thread(future: Any) -> bool:  # noqa: ANN401 - a future
    """Whether a future shows the result of one of ``concurrent.futures``."""
    callbacks = getattr(future, "_callbacks", None) or ()
    return any("_chain_future" in getattr(cb, "__qualname__", "") for cb, *_ in callbacks)


def main_future() -> Any:  # noqa: ANN401 - a future
    """What the loop of the current thread runs until."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - as warnings does
    while frame is not None:
        if frame.f_code is asyncio.BaseEventLoop.run_until_complete.__code__:
            return frame.f_locals.get("future")
        frame = frame.f_back
    return None
