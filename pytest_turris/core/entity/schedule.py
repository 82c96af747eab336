"""What becomes due as time passes: moments in order, each with a kind and whom it concerns."""

import bisect
import datetime as dt
from typing import Literal

DueKind = Literal["license begins or ends", "sync is done", "upload moves on", "extraction is done"]
DueEntry = tuple[dt.datetime, DueKind, str]
"""The moment, what happens then, and the key of what it happens to."""


class Schedule:
    """Entries in the order of their moments. One whose cause is gone has no effect when due."""

    def __init__(self) -> None:
        self._entries: list[DueEntry] = []

    def add(self, moment: dt.datetime, kind: DueKind, key: str) -> None:
        """Add an entry; the same entry is kept once."""
        entry = moment, kind, key
        place = bisect.bisect_left(self._entries, entry)
        if self._entries[place : place + 1] != [entry]:
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
        if self._entries and self._entries[0][0] <= now:
            return self._entries.pop(0)
        return None

    def clear(self) -> None:
        """Remove all entries."""
        self._entries.clear()
