"""What becomes due as time passes: moments in order, each with a kind and a key."""

import bisect
import contextlib
import datetime as dt
from functools import partial
from typing import Literal

from pytest_turris.core.undo import Undo

DueKind = Literal["license begins or ends", "sync is done", "upload moves on", "extraction is done"]
DueEntry = tuple[dt.datetime, DueKind, str]
"""The moment, what happens then, and the key of what it happens to."""


class Schedule:
    """Entries in the order of their moments.

    An entry without a cause has no effect when it is due.
    """

    def __init__(self, undo: Undo | None = None) -> None:
        self._undo = undo or Undo()
        self._entries: list[DueEntry] = []

    def add(self, moment: dt.datetime, kind: DueKind, key: str) -> None:
        """Add an entry; the same entry is kept once."""
        entry = moment, kind, key
        place = bisect.bisect_left(self._entries, entry)
        if self._entries[place : place + 1] != [entry]:
            self._undo.step(partial(self._discard, entry))
            self._entries.insert(place, entry)

    @property
    def first(self) -> dt.datetime | None:
        """The earliest moment; None if there is nothing."""
        return self._entries[0][0] if self._entries else None

    def drop_until(self, moment: dt.datetime) -> None:
        """Remove what was carried out elsewhere."""
        while self._entries and self._entries[0][0] <= moment:
            self._entries.pop(0)

    def pop_due(self, now: dt.datetime) -> DueEntry | None:
        """Take out the earliest entry whose moment has come."""
        if not self.is_due(now):
            return None
        self._undo.step(partial(self.add, *self._entries[0]))
        return self._entries.pop(0)

    def _discard(self, entry: DueEntry) -> None:
        with contextlib.suppress(ValueError):  # it was not added, or is carried out
            self._entries.remove(entry)

    def is_due(self, now: dt.datetime) -> bool:
        """Whether the moment of an entry has come."""
        return bool(self._entries) and self._entries[0][0] <= now

    def clear(self) -> None:
        """Remove all entries."""
        self._undo.copies(self, "_entries")
        self._entries.clear()
