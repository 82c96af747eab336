"""The journal: the last exchanges, refusals included, with their secrets masked.

Masking takes longer than many operations, and most exchanges are never read, so an exchange is
masked when it is first read.
"""

import datetime as dt
import itertools
import json
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any

from pytest_turris.core.changes import Row
from pytest_turris.core.text.redaction import SHOWN, preview, redact, redact_headers, redact_target
from pytest_turris.core.undo import Undo
from pytest_turris.core.wire.messages import TOKEN_REQUEST, Request, Response

NO_ANSWER = 0

_Observer = Callable[[Request, Response | None, dict[str, Any]], object]
"""Receives a request, its response, and the facts of its exchange, before redaction."""

_SHOWN_TARGET = 2_048
_SHOWN_FIELDS = 64
_NUMBER = attrgetter("number")
_FACTS = (
    "number", "at", "environment", "method", "operation", "status", "credential", "token",
    "reason", "is_client_error", "notes", "request_id", "token_id", "token_in_url",
)  # fmt: skip
"""What is known of an exchange besides its two messages, by the names of ``Exchange``."""
_FACTS_OF = itemgetter(*_FACTS)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its response. Texts are redacted, bodies cut at 2 KiB.

    ``status`` is 0 if a fault left the request without an answer. ``reason`` says for
    humans why the sandbox refused; ``notes`` say what it noticed and accepted.
    """

    number: int
    at: dt.datetime
    environment: str
    method: str
    target: str
    operation: str | None
    status: int
    credential: str | None
    token: str | None
    reason: str
    is_client_error: bool
    notes: tuple[str, ...]
    request_id: str
    request_headers: dict[str, str] = field(repr=False)
    request_body: str = field(repr=False)
    response_body: str = field(repr=False)
    token_id: str | None = None
    """The ``jti`` of the access token in the request, accepted or not."""
    token_in_url: bool = False

    @property
    def path(self) -> str:
        """The path without its query."""
        return self.target.partition("?")[0]

    @property
    def is_token_request(self) -> bool:
        """Whether the request asked for an access token."""
        return (self.method, self.path) == TOKEN_REQUEST

    @property
    def refused(self) -> bool:
        """Whether the answer was a 4xx."""
        return 400 <= self.status < 500  # noqa: PLR2004 - RFC 9110, client errors

    def plain(self) -> dict[str, Any]:
        """The exchange as JSON data."""
        return vars(self) | {
            "at": self.at.isoformat(),
            "notes": list(self.notes),
            "request_headers": dict(self.request_headers),
        }

    @classmethod
    def restored(cls, row: dict[str, Any]) -> "Exchange":
        """A snapshot's exchange."""
        at = dt.datetime.fromisoformat(row["at"])
        return cls(**row | {"at": at, "notes": tuple(row["notes"])})

    def __str__(self) -> str:
        status = self.status or "no answer"
        time = self.at.time().isoformat("milliseconds")
        line = f"{time}Z  {self.method} {self.target} -> {status}"
        line += f"  [{self.operation or 'no such operation'}]"
        if self.credential:
            line += f"  as {self.credential}" + (f", token {self.token}" if self.token else "")
        details = [self.reason] if self.reason else []
        return "\n    ".join([line, *details, *self.notes])


class _RawExchange:
    """An exchange not yet redacted; it has no repr, and is cut to what the journal shows.

    A server keeps a thousand for each tenant, so it is small: no dict, and what the exchange before
    it has as well is kept once.
    """

    __slots__ = ("_body", "_facts", "_sizes", "answered", "fields", "target")

    def __init__(
        self,
        request: Request,
        response_body: bytes,
        facts: dict[str, Any],
        before: "_RawExchange | None",
    ) -> None:
        self._facts: tuple[Any, ...] = _FACTS_OF(facts)
        self.target: str = request.target[:_SHOWN_TARGET]
        self.fields: tuple[tuple[str, str], ...] = request.headers[:_SHOWN_FIELDS]
        self._body: bytes = request.body[:SHOWN]
        self.answered: bytes = response_body[:SHOWN]
        self._sizes = len(request.body), len(response_body)
        if before is not None:
            self._share(before)

    def _share(self, before: "_RawExchange") -> None:
        if self.fields == before.fields:  # most clients send the same ones again
            self.fields = before.fields
        if self.target == before.target:
            self.target = before.target
        if self.answered == before.answered:
            self.answered = before.answered

    def redacted(self) -> Exchange:
        """The exchange with its secrets masked."""
        sent, answered = self._sizes
        return self._exchange(
            request_headers=redact_headers(self.fields),
            request_body=preview(self._body, sent),
            response_body=preview(self.answered, answered),
        )

    def summary(self) -> str:
        """The exchange in one text, without headers and bodies."""
        return str(self._exchange(request_headers={}, request_body="", response_body=""))

    def _exchange(self, **content: Any) -> Exchange:  # noqa: ANN401 - Exchange's fields
        facts = dict(zip(_FACTS, self._facts, strict=True))
        texts = {
            "target": redact_target(self.target),
            "reason": redact(facts["reason"]),
            "notes": tuple(map(redact, facts["notes"])),
        }
        return Exchange(**facts | texts | content)


class _KeptExchange:
    """An exchange in JSON, already redacted, from somewhere else."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def redacted(self) -> Exchange:
        """The exchange, read."""
        return Exchange.restored(json.loads(self._text))

    def summary(self) -> str:
        """The exchange in one text."""
        return str(self.redacted())


class Entry:
    """A place in the journal; its exchange is redacted when it is first read."""

    __slots__ = ("_exchange", "number")

    def __init__(self, number: int, exchange: Exchange | _RawExchange | _KeptExchange) -> None:
        self.number: int = number
        self._exchange = exchange

    def redacted(self) -> Exchange:
        """The exchange with its secrets masked. Two threads that read at once get equal ones."""
        exchange = self._exchange
        if not isinstance(exchange, Exchange):
            exchange = self._exchange = exchange.redacted()
        return exchange

    @property
    def raw(self) -> _RawExchange | None:
        """The exchange, if it is not redacted yet."""
        exchange = self._exchange
        return exchange if isinstance(exchange, _RawExchange) else None

    def summary(self) -> str:
        """The exchange in one text; cheaper than ``redacted``, and kept nowhere."""
        exchange = self._exchange
        return str(exchange) if isinstance(exchange, Exchange) else exchange.summary()


class Journal:
    """The last exchanges of one sandbox, oldest first; ``dropped`` counts the older ones."""

    def __init__(self, limit: int) -> None:
        self.limit: int = limit
        self._entries: deque[Entry] = deque(maxlen=limit)
        self.seen: int = 0
        self.undo: Undo = Undo()
        """Takes back the exchange of a call that failed."""
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
        return self._entries[-1].summary() if self._entries else ""

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

    def record(self, request: Request, response_body: bytes, **facts: Any) -> Entry:  # noqa: ANN401 - Exchange's fields
        """Keep one exchange."""
        self.undo.step(partial(self._forget_since, self.seen, self._oldest()))
        self.seen += 1
        facts |= {"number": self.seen, "method": request.method[:32]}
        before = self._entries[-1].raw if self._entries else None
        entry = Entry(self.seen, _RawExchange(request, response_body, facts, before))
        self._entries.append(entry)
        return entry

    def _oldest(self) -> Entry | None:
        """The entry that the next one drops."""
        return self._entries[0] if self._entries and len(self._entries) == self.limit else None

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
        self._entries.extend(Entry(number, _KeptExchange(text)) for number, text in texts)
