"""Which rows of a sandbox's state changed: what a store has to write.

The state consists of rows. A row has a part, such as ``tokens`` or ``entity.agents``, a key within
that part, and a value, which is JSON data or a model. One row with an empty key has the other
members of a part, such as counters. Nothing is noted until something keeps the state.
"""

from collections.abc import Callable, Iterator
from typing import Any

Row = tuple[str, str, Any]
"""The part, the key and the value of a row; a value of None means that the row is gone.

In JSON the members of a model have their names in Python.
"""

_Value = Callable[[], Any]


class Changes:
    """The rows that changed since they were last taken, in the order of their first change."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, str], _Value | None] = {}
        self.is_everything: bool = False
        """Whether the whole state was replaced."""

    def __bool__(self) -> bool:
        return bool(self._marks) or self.is_everything

    def mark(self, part: str, key: str, value: _Value) -> None:
        """Note that a row was made or changed; its value is read when the changes are taken."""
        self._marks[part, key] = value

    def gone(self, part: str, key: str) -> None:
        """Note that a row was removed."""
        self._marks[part, key] = None

    def mark_everything(self) -> None:
        """Note that the whole state was replaced."""
        self.is_everything = True

    def take(self) -> Iterator[Row]:
        """Return the changed rows as they are now, and begin with no changes.

        There are none if the whole state was replaced: what was noted may be of rows that are gone.
        """
        marks, is_everything = self._marks, self.is_everything
        self._marks, self.is_everything = {}, False
        if is_everything:
            return iter(())
        return ((part, key, value() if value else None) for (part, key), value in marks.items())
