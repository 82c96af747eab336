"""The nearest known name, for errors that ask "did you mean ...?"."""

from collections.abc import Iterable
from difflib import SequenceMatcher

LONGEST_NAME = 120
"""Comparing takes time with the square of the length, and callers send names of any length."""


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The known name that is most like this one; empty if none is, or if it is very long.

    The result is that of ``difflib.get_close_matches``, which compares with every name; this
    compares with those that can still be the nearest, by how many characters they share.
    """
    if len(name) > LONGEST_NAME:
        return ""
    matcher = SequenceMatcher()
    matcher.set_seq2(name)
    bounds = []
    for one in known:
        matcher.set_seq1(one)
        bounds.append((matcher.quick_ratio(), one))
    best = cutoff, ""
    for bound, one in sorted(bounds, reverse=True):
        if bound < best[0]:
            break
        matcher.set_seq1(one)
        best = max(best, (matcher.ratio(), one))
    return best[1]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'agents'?"``, or nothing if no known name is near."""
    found = nearest(name, known)
    return f"; did you mean {found!r}?" if found else ""
