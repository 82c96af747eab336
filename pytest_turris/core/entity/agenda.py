"""What time will bring: moments at which something happens by itself, in their order."""

import bisect
import datetime as dt
from typing import Literal

DueKind = Literal["license expires", "sync is done", "upload moves on"]
Entry = tuple[dt.datetime, DueKind, str]


class Schedule:
    """Moments with what is due and for whom. An entry whose cause is gone does no harm."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def note(self, moment: dt.datetime, occasion: DueKind, key: str) -> None:
        """Something will be due; twice the same is once."""
        entry = moment, occasion, key
        place = bisect.bisect_left(self._entries, entry)
        if self._entries[place : place + 1] != [entry]:
            self._entries.insert(place, entry)

    def next_due(self, now: dt.datetime) -> Entry | None:
        """Take the earliest entry whose moment has come."""
        if self._entries and self._entries[0][0] <= now:
            return self._entries.pop(0)
        return None

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
