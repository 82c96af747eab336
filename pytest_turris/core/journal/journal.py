"""The journal: the last exchanges, refusals included, with their secrets masked.

Masking takes longer than many operations, and most exchanges are never read, so an exchange is
masked when it is first read.
"""

import datetime as dt
import itertools
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter
from typing import Any

from pytest_turris.core.changes import Row
from pytest_turris.core.journal.exchange import Exchange, KeptExchange, RawExchange, timed
from pytest_turris.core.undo import Undo
from pytest_turris.core.wire.messages import Request, Response

NO_ANSWER = 0

_Observer = Callable[[Request, Response | None, dict[str, Any]], object]
"""Receives a request, its response, and the facts of its exchange, before redaction."""

_NUMBER = attrgetter("number")


class Entry:
    """A place in the journal; its exchange is redacted when it is first read."""

    __slots__ = ("_exchange", "number")

    def __init__(self, number: int, exchange: Exchange | RawExchange | KeptExchange) -> None:
        self.number: int = number
        self._exchange = exchange

    def redacted(self) -> Exchange:
        """The exchange with its secrets masked. Two threads that read at once get equal ones."""
        exchange = self._exchange
        if not isinstance(exchange, Exchange):
            exchange = self._exchange = exchange.redacted()
        return exchange

    @property
    def raw(self) -> RawExchange | None:
        """The exchange, if it is not redacted yet."""
        exchange = self._exchange
        return exchange if isinstance(exchange, RawExchange) else None

    def outline(self) -> str:
        """The exchange in one text, without its time; cheaper than ``redacted``."""
        return self._exchange.outline()

    @property
    def at(self) -> dt.datetime:
        """When it was answered, on the sandbox's clock."""
        return self._exchange.at


class Journal:
    """The last exchanges of one sandbox, oldest first; ``dropped`` counts the older ones."""

    undo: Undo = Undo()
    """Takes back the exchange of a call that failed."""

    def __init__(self, limit: int) -> None:
        self.limit: int = limit
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._last: tuple[Entry | None, str] = (None, "")
        self.seen: int = 0
        self.observer: _Observer | None = None
        """Called with each exchange, in the thread and on the stack that answers it."""

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.since(0))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Exchange:
        return self._entries[index].redacted()

    @property
    def last_line(self) -> str:
        """The newest exchange in one text, redacted; empty if there is none."""
        return timed(self._entries[-1].at, self.last_outline) if self._entries else ""

    @property
    def last_outline(self) -> str:
        """``last_line`` without its time."""
        if not self._entries:
            return ""
        newest = self._entries[-1]
        known, outline = self._last
        if newest is not known:
            outline = newest.outline()
            self._last = newest, outline  # a store names its step after it, and a server logs it
        return outline

    @property
    def dropped(self) -> int:
        """How many exchanges were dropped to keep the limit."""
        return self.seen - len(self._entries)

    def since(self, number: int, count: int | None = None) -> tuple[Exchange, ...]:
        """The first exchanges, or all, after the one with that number."""
        return tuple(entry.redacted() for entry in self._after(number)[:count])

    def _after(self, number: int) -> tuple[Entry, ...]:
        entries = tuple(self._entries)
        return entries[bisect_right(entries, number, key=_NUMBER) :]

    def record(self, request: Request, response_body: bytes, facts: dict[str, Any]) -> Entry:
        """Keep one exchange; its facts get the number and the method that it is recorded with."""
        entries = self._entries
        dropped = entries[0] if entries and len(entries) == self.limit else None
        self.undo.step(partial(self._forget_since, self.seen, dropped))
        self.seen += 1
        facts["number"], facts["method"] = self.seen, request.method[:32]
        before = entries[-1].raw if entries else None
        entry = Entry(self.seen, RawExchange(request, response_body, facts, before))
        entries.append(entry)
        return entry

    def _forget_since(self, number: int, dropped: Entry | None) -> None:
        self.seen = number
        while self._entries and self._entries[-1].number > number:
            self._entries.pop()
        if dropped and (not self._entries or self._entries[0] is not dropped):
            self._entries.appendleft(dropped)

    def clear(self) -> None:
        """Drop all exchanges; the numbering goes on."""
        self._entries.clear()

    def snapshot(self) -> dict[str, Any]:
        """The exchanges as JSON data, redacted."""
        return {"seen": self.seen, "exchanges": [exchange.plain() for exchange in self]}

    def rows(self) -> Iterator[Row]:
        """The exchanges as rows of the state."""
        yield "journal", "", {"seen": self.seen}
        yield from self.rows_since(0)

    def rows_since(self, number: int, count: int | None = None) -> Iterator[Row]:
        """The first exchanges, or all, after the one with that number, as rows of the state."""
        # From the end: a store asks for the last one of a thousand after each request.
        newest = itertools.takewhile(lambda entry: entry.number > number, reversed(self._entries))
        for entry in list(newest)[::-1][:count]:
            exchange = entry.redacted()
            yield "journal.exchanges", str(exchange.number), exchange.plain()

    def restore(self, data: dict[str, Any]) -> None:
        """Replace the exchanges with a snapshot's."""
        self.seen = int(data["seen"])
        entries = (Entry(row["number"], Exchange.restored(row)) for row in data["exchanges"])
        self._entries = deque(entries, maxlen=self.limit)

    def take_over(self, seen: int, texts: Iterable[tuple[int, str]]) -> None:
        """Take over exchanges that were recorded elsewhere, in JSON, by their numbers."""
        self.seen = seen
        self._entries.extend(Entry(number, KeptExchange(text)) for number, text in texts)
