"""Names as people write them: the spellings of one, and the nearest that is known."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_NAME = 120
"""Comparing takes time with the square of the length, and callers send names of any length."""

_CAPITAL = re.compile(r"(?<=[a-z0-9])[A-Z]")


def as_snake_case(name: str) -> str:
    """A name in camel case such as ``tokenTtl`` as ``token_ttl``; one in snake case as it is."""
    return _CAPITAL.sub(lambda capital: f"_{capital[0].lower()}", name)


def nearest(name: object, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The known name that is most like this one; empty without one, or if it is very long."""
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        return ""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=cutoff)), "")


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """``"; did you mean 'agents'?"``, or nothing if no known name is near."""
    found = nearest(name, known)
    return f"; did you mean {found!r}?" if found else ""
