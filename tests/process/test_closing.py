"""Contexts are closed, whatever happens to one of them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from pytest_turris.process.closing import close_all


def test_all_are_closed_the_newest_first() -> None:
    """One that fails, or is interrupted, does not keep the others open."""
    closed: list[int] = []

    @contextmanager
    def context(number: int) -> Iterator[None]:
        yield
        closed.append(number)
        if number in (2, 4):
            raise KeyboardInterrupt(number)

    opened: list[AbstractContextManager[None]] = []
    for number in range(6):
        opened.append(context(number))
        opened[-1].__enter__()
    with pytest.raises(KeyboardInterrupt, match="2"):
        close_all(opened)
    assert closed == [5, 4, 3, 2, 1, 0]
    assert not opened
