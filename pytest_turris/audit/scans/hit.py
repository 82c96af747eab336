"""A finding in one file."""

from dataclasses import dataclass

from pytest_turris.core.levels import Level


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing in a file.

    Args:
        offset: Where it begins in the text.
        what: What it is, never its value.
        level: Its level, if not the check's.
    """

    offset: int
    what: str
    level: Level | None = None
