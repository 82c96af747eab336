"""The check of histories: what cannot have happened is found, and what can is not."""

import pytest
from doubles.histories import Call, History, contradiction

INFINITY = float("inf")


def reads(began: float, ended: float, *found: str) -> Call:
    """A read."""
    return Call(began, ended, read=frozenset(found))


POSSIBLE = {
    "one after the other": [Call(0, 1, "a"), reads(2, 3, "a")],
    "at the same time, not seen": [Call(0, 9, "a"), reads(1, 2), reads(3, 4, "a")],
    "no answer, no effect": [Call(0, INFINITY, "a"), reads(1, 2)],
    "no answer, a late effect": [Call(0, INFINITY, "a"), reads(1, 2), reads(3, 4, "a")],
    "two in any order": [Call(0, 9, "a"), Call(0, 9, "b"), reads(1, 2, "b"), reads(3, 4, "a", "b")],
}
IMPOSSIBLE = {
    "lost": [Call(0, 1, "a"), reads(2, 3)],
    "seen and gone": [Call(0, 9, "a"), reads(1, 2, "a"), reads(3, 4)],
    "never asked for": [reads(0, 1, "a")],
    "before it was asked for": [Call(2, 3, "a"), reads(0, 1, "a")],
    "each first": [Call(0, 9, "a"), Call(0, 9, "b"), reads(1, 2, "a"), reads(1, 2, "b")],
    "the later without the earlier": [Call(0, 1, "a"), Call(2, 9, "b"), reads(0, 9, "b")],
    "no answer, seen and gone": [Call(0, INFINITY, "a"), reads(1, 2, "a"), reads(3, 4)],
}


@pytest.mark.parametrize("name", POSSIBLE)
def test_what_can_have_happened(name: str) -> None:
    """Calls that some order explains."""
    assert contradiction(History(POSSIBLE[name])) is None


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_have_happened(name: str) -> None:
    """Calls that no order explains."""
    assert contradiction(History(IMPOSSIBLE[name]))
