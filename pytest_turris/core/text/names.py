"""The nearest known name, for errors that ask "did you mean ...?"."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_NAME = 120
"""Comparing takes time with the square of the length, and callers send names of any length."""


def nearest(name: object, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The known name that is most like this one; empty without one, or if it is very long."""
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        return ""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=cutoff)), "")


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """``"; did you mean 'agents'?"``, or nothing if no known name is near."""
    found = nearest(name, known)
    return f"; did you mean {found!r}?" if found else ""
