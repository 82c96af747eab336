"""Reads the stacks of other threads without a garbage collection meanwhile.

Python 3.11 makes frame objects while stacks are read, and may collect garbage in the middle of
that. A finalizer can then let the other threads run. While ``sys._current_frames`` holds the lock
of the list of threads, one that starts makes all wait forever (CPython's issue 106883). While
``f_back`` is read, the frames may be gone when Python goes on: it crashes, or returns another
object (as in issue 97002). From 3.12 on it collects between instructions only.
"""

import _thread
import gc
import os
import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class _Readers:
    """The threads that read stacks: there is no collection until the last one is done."""

    def __init__(self) -> None:
        self.idents: set[int] = set()
        self._lock = _thread.RLock()
        self._collects_after = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget_the_others)

    def add(self, ident: int) -> None:
        self.idents.add(ident)  # before the lock: one that is done meanwhile has to see it
        with self._lock:
            if gc.isenabled():
                self._collects_after = True
                gc.disable()

    def discard(self, ident: int) -> None:
        with self._lock:
            self.idents.discard(ident)
            self._collect_again()

    def _collect_again(self) -> None:
        if self._collects_after and not self.idents:
            self._collects_after = False
            gc.enable()

    def _forget_the_others(self) -> None:
        """A forked process has none of the other threads, and would wait for them."""
        self._lock = _thread.RLock()
        self.idents.clear()
        self._collect_again()


_readers = _Readers()


def reads_stacks(ident: int) -> bool:
    """Whether a thread reads stacks at this moment: then it is at work."""
    return ident in _readers.idents


def uncollected(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function that reads the stacks of other threads run without a garbage collection."""
    if sys.version_info >= (3, 12):  # pragma: no cover - the matrix runs it
        return function

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        ident = _thread.get_ident()
        try:
            _readers.add(ident)
            return function(*args, **kwargs)
        finally:
            _readers.discard(ident)

    return wrapped


@uncollected
def frames_of_threads() -> dict[int, FrameType]:
    """The innermost frame of each thread, by the thread's ident."""
    return sys._current_frames()  # noqa: SLF001 - as faulthandler does
