"""Reads the stacks of other threads without a garbage collection meanwhile.

Python 3.11 makes frame objects while stacks are read, and may collect garbage in the middle of
that. A finalizer can then let the other threads run. While ``sys._current_frames`` holds the lock
of the list of threads, one that starts makes all wait forever (CPython's issue 106883). While
``f_back`` is read, the frames may be gone when Python goes on: it crashes, or returns another
object (as in issue 97002). From 3.12 on it collects between instructions only.
"""

import gc
import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def uncollected(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function that reads stacks run without a garbage collection."""
    if sys.version_info >= (3, 12):  # pragma: no cover - the matrix runs it
        return function

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        if not gc.isenabled():  # another thread reads, or the program wants it so
            return function(*args, **kwargs)
        gc.disable()
        try:
            return function(*args, **kwargs)
        finally:
            gc.enable()

    return wrapped


@uncollected
def frames_of_threads() -> dict[int, FrameType]:
    """The innermost frame of each thread, by the thread's ident."""
    return sys._current_frames()  # noqa: SLF001 - as faulthandler does
