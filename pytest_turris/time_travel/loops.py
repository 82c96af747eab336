"""Event loops on the system's own time, while the rest of the process travels.

What freezegun's ``real_asyncio=True`` does, but for any freeze, and without a loop made to find
its class: under pytest-socket none can be made.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

from pytest_turris.process.steady_clock import steady_time


@contextlib.contextmanager
def steady_loops() -> Iterator[None]:
    """Let asyncio's own loops tell the system's time; a loop with a time of its own keeps it."""
    original = asyncio.BaseEventLoop.time
    changed = [loop for loop in _loops(asyncio.BaseEventLoop) if vars(loop).get("time") is original]
    for loop in changed:
        loop.time = lambda _: steady_time()
    try:
        yield
    finally:
        for loop in changed:
            loop.time = original


def _loops(base: Any) -> Iterator[Any]:  # noqa: ANN401 - classes, whose methods are replaced
    """A class with all that inherit from it: ``real_asyncio`` leaves a copy in one of them."""
    yield base
    for loop in base.__subclasses__():
        yield from _loops(loop)
