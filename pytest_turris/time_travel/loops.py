"""Event loops on the system's own time, while the rest of the process travels.

What freezegun's ``real_asyncio=True`` does, but for any freeze, and without a loop made to find
its class: under pytest-socket none can be made.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from pytest_turris.process.patch import Patch
from pytest_turris.process.steady_clock import steady_time


def steady_loops() -> Patch:
    """Asyncio's own loops run by the system's clock; a loop with its own ``time`` keeps it."""
    original = asyncio.BaseEventLoop.time
    return Patch(
        *(
            (loop, "time", lambda _: _steady_time)
            for loop in _loops(asyncio.BaseEventLoop)
            if vars(loop).get("time") is original
        )
    )


def _steady_time(_: asyncio.BaseEventLoop) -> float:
    return steady_time()


def _loops(base: Any) -> Iterator[Any]:  # noqa: ANN401 - classes, whose methods are replaced
    """A class with all that inherit from it: ``real_asyncio`` leaves a copy in one of them."""
    yield base
    for loop in base.__subclasses__():
        yield from _loops(loop)
