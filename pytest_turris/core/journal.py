"""The journal: every exchange, refusals too, bounded, with secrets masked before they are kept."""

import datetime as dt
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from pytest_turris.core.messages import Request
from pytest_turris.core.redaction import preview, redact_headers, redact_target

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
    unmeant: bool
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
        line = f"{self.at:%H:%M:%S.%f}"[:-3] + f"Z  {self.method} {self.target} -> {status}"
        line += f"  [{self.operation or 'no such operation'}]"
        if self.credential:
            line += f"  as {self.credential}" + (f", token {self.token}" if self.token else "")
        details = [self.reason] if self.reason else []
        return "\n    ".join([line, *details, *self.notes])


class Journal:
    """The last exchanges of one sandbox, oldest first; ``dropped`` counts older ones."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._exchanges: deque[Exchange] = deque(maxlen=limit)
        self.seen: int = 0

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    def __getitem__(self, index: int) -> Exchange:
        return self._exchanges[index]

    @property
    def dropped(self) -> int:
        """How many exchanges no longer fit."""
        return self.seen - len(self._exchanges)

    def since(self, number: int) -> tuple[Exchange, ...]:
        """The exchanges after the one with that number."""
        return tuple(exchange for exchange in self._exchanges if exchange.number > number)

    def record(self, request: Request, response_body: bytes, **facts: Any) -> Exchange:  # noqa: ANN401 - Exchange's fields
        """Keep one exchange, redacted."""
        self.seen += 1
        exchange = Exchange(
            number=self.seen,
            method=request.method[:32],
            target=redact_target(request.target[:_SHOWN_TARGET]),
            request_headers=redact_headers(request.headers[:_SHOWN_FIELDS]),
            request_body=preview(request.body),
            response_body=preview(response_body),
            **facts,
        )
        self._exchanges.append(exchange)
        return exchange

    def clear(self) -> None:
        """Drop all exchanges; the numbering goes on."""
        self._exchanges.clear()

    def snapshot(self) -> dict[str, Any]:
        """The exchanges as JSON data, redacted as they are."""
        rows = [
            asdict(exchange) | {"at": exchange.at.isoformat(), "notes": list(exchange.notes)}
            for exchange in self._exchanges
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
        self._exchanges = deque(rows, maxlen=self._limit)


_SHOWN_TARGET = 2_048
_SHOWN_FIELDS = 64
