"""Reads the stacks of other threads without a garbage collection meanwhile.

Python 3.11 makes the frame objects of a stack while ``f_back`` is read, and may collect garbage in
the middle of that. A finalizer can then let the other thread run, whose frames are gone when
Python goes on: it hangs, crashes, or returns another object (as in CPython's issues 97002 and
106883). From 3.12 on it collects between instructions only.
"""

import gc
import sys
from collections.abc import Callable
from functools import wraps
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
