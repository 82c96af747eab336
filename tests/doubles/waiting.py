"""Waiting for what another thread does, without a guess at how long it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

DEADLINE = 60

T = TypeVar("T")


def eventually(happened: Callable[[], T]) -> T:
    """Return the first true result; the deadline only matters if there is none."""
    end = time.monotonic() + DEADLINE
    while not (found := happened()):
        assert time.monotonic() < end, f"not within {DEADLINE} seconds, last: {found!r}"
        time.sleep(0.005)
    return found
