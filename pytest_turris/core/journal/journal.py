"""The journal: every exchange, refusals too, bounded; what it shows has its secrets masked.

Most exchanges are never read, and masking one takes longer than many operations, so it happens on
the first read.
"""

import datetime as dt
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from pytest_turris.core.text.redaction import SHOWN, preview, redact, redact_headers, redact_target
from pytest_turris.core.wire.messages import Request

NO_ANSWER = 0


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its response. Texts are redacted, bodies cut at 2 KiB.

    ``status`` is 0 where a fault left the request without an answer. ``reason`` says for
    humans why the sandbox refused; ``notes`` what it noticed and let pass.
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
    """The ``jti`` of the access token that the request carried, accepted or not."""
    token_in_url: bool = False

    @property
    def path(self) -> str:
        """The path without its query."""
        return self.target.partition("?")[0]

    @property
    def refused(self) -> bool:
        """Whether the answer was a 4xx."""
        return 400 <= self.status < 500  # noqa: PLR2004 - RFC 9110, client errors

    def __str__(self) -> str:
        status = self.status or "no answer"
        time = self.at.time().isoformat("milliseconds")
        line = f"{time}Z  {self.method} {self.target} -> {status}"
        line += f"  [{self.operation or 'no such operation'}]"
        if self.credential:
            line += f"  as {self.credential}" + (f", token {self.token}" if self.token else "")
        details = [self.reason] if self.reason else []
        return "\n    ".join([line, *details, *self.notes])


class _Unread:
    """An exchange not yet redacted; redaction happens on first read."""

    __slots__ = ("_answered", "_body", "_facts", "_fields", "_sizes", "_target")

    def __init__(self, request: Request, response_body: bytes, facts: dict[str, Any]) -> None:
        self._facts = facts
        self._target = request.target[:_SHOWN_TARGET]
        self._fields = request.headers[:_SHOWN_FIELDS]
        self._body, self._answered = request.body[:SHOWN], response_body[:SHOWN]
        self._sizes = len(request.body), len(response_body)

    def told(self) -> Exchange:
        """The same, redacted."""
        sent, answered = self._sizes
        return self._redacted(
            request_headers=redact_headers(self._fields),
            request_body=preview(self._body, sent),
            response_body=preview(self._answered, answered),
        )

    def line(self) -> str:
        """The same in words, which show neither headers nor bodies."""
        return str(self._redacted(request_headers={}, request_body="", response_body=""))

    def _redacted(self, **content: Any) -> Exchange:  # noqa: ANN401 - Exchange's fields
        words = {
            "target": redact_target(self._target),
            "reason": redact(self._facts["reason"]),
            "notes": tuple(map(redact, self._facts["notes"])),
        }
        return Exchange(**self._facts | words | content)


class Entry:
    """An entry of the journal; its exchange is redacted on first read."""

    __slots__ = ("_seen", "number")

    def __init__(self, number: int, seen: Exchange | _Unread) -> None:
        self.number: int = number
        self._seen = seen

    def told(self) -> Exchange:
        """The exchange, redacted; two threads that look at once see the like."""
        seen = self._seen
        if isinstance(seen, _Unread):
            seen = self._seen = seen.told()
        return seen

    def line(self) -> str:
        """The exchange in words; for who looks at each, and only once."""
        seen = self._seen
        return seen.line() if isinstance(seen, _Unread) else str(seen)


class Journal:
    """The last exchanges of one sandbox, oldest first; ``dropped`` counts older ones."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: deque[Entry] = deque(maxlen=limit)
        self.seen: int = 0

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.since(0))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Exchange:
        return self._entries[index].told()

    @property
    def last_line(self) -> str:
        """The newest exchange in words, redacted; empty if none is kept."""
        return self._entries[-1].line() if self._entries else ""

    @property
    def dropped(self) -> int:
        """How many exchanges no longer fit."""
        return self.seen - len(self._entries)

    def since(self, number: int) -> tuple[Exchange, ...]:
        """The exchanges after the one with that number."""
        return tuple(entry.told() for entry in tuple(self._entries) if entry.number > number)

    def record(self, request: Request, response_body: bytes, **facts: Any) -> Entry:  # noqa: ANN401 - Exchange's fields
        """Keep one exchange."""
        self.seen += 1
        facts |= {"number": self.seen, "method": request.method[:32]}
        entry = Entry(self.seen, _Unread(request, response_body, facts))
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Drop all exchanges; the numbering goes on."""
        self._entries.clear()

    def snapshot(self) -> dict[str, Any]:
        """The exchanges as JSON data, redacted as they are."""
        rows = [
            asdict(exchange) | {"at": exchange.at.isoformat(), "notes": list(exchange.notes)}
            for exchange in self
        ]
        return {"seen": self.seen, "exchanges": rows}

    def restore(self, data: dict[str, Any]) -> None:
        """Replace the exchanges by a snapshot's."""
        self.seen = int(data["seen"])
        rows = (
            Exchange(
                **row | {"at": dt.datetime.fromisoformat(row["at"]), "notes": tuple(row["notes"])}
            )
            for row in data["exchanges"]
        )
        entries = (Entry(exchange.number, exchange) for exchange in rows)
        self._entries = deque(entries, maxlen=self._limit)


_SHOWN_TARGET = 2_048
_SHOWN_FIELDS = 64
