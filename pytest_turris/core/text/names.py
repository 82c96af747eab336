"""The nearest known name, for errors that ask "did you mean ...?"."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like this one; empty if none is."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), "")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'agents'?"``, or nothing if no known name is near."""
    found = nearest(name, known)
    return f"; did you mean {found!r}?" if found else ""
