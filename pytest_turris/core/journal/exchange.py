"""An exchange: one request and its response, as the journal keeps and shows it."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any

from pytest_turris.core.journal.bounds import LEFT_OUT, LONGEST_TARGET, short_lines
from pytest_turris.core.text.chosen_secrets import CHOSEN
from pytest_turris.core.text.moments import iso
from pytest_turris.core.text.printable import printable
from pytest_turris.core.text.redaction import SHOWN, preview, redact, redact_headers, redact_target
from pytest_turris.core.wire.messages import TOKEN_REQUEST, Request

_TIME = len("2025-03-17T")
_FACTS = (
    "number", "at", "environment", "method", "operation", "status", "credential", "token",
    "reason", "is_client_error", "notes", "request_id", "token_id", "token_in_url",
)  # fmt: skip
"""What is known of an exchange besides its two messages, by the names of ``Exchange``."""
_FACTS_OF = itemgetter(*_FACTS)
_AT = _FACTS.index("at")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its response. Texts are redacted, and long ones cut.

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

    def outline(self) -> str:
        """The exchange in one text, without its time, headers and bodies."""
        what = f"{self.method} {self.target} -> {self.status or 'no answer'}"
        line = _line(what, self.operation, (self.credential, self.token))
        return _with_details(line, (self.reason, *self.notes))

    def __str__(self) -> str:
        return timed(self.at, self.outline())


def timed(at: dt.datetime, outline: str) -> str:
    """The outline of an exchange, with its time."""
    return f"{iso(at)[_TIME:]}  {outline}"


def _with_details(line: str, details: Sequence[str]) -> str:
    """An exchange in one line, and a line for each detail."""
    return "\n    ".join([line, *map(printable, filter(None, details))]) if details else line


@lru_cache(maxsize=256)
def _line(what: str, operation: str | None, caller: tuple[str | None, str | None]) -> str:
    """An exchange in one line: most are like one before."""
    credential, token = caller
    line = f"{what}  [{operation or 'no such operation'}]"
    if credential:
        line += f"  as {credential}" + (f", token {token}" if token else "")
    return printable(line)


_target_as_of = lru_cache(maxsize=256)(lambda target, _: redact_target(target))
"""A client calls the same few targets again and again. Secrets become known meanwhile."""

_headers_as_of = lru_cache(maxsize=32)(lambda headers, _: redact_headers(headers))
"""Most clients send the same ones until they get another token."""


class RawExchange:
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
        before: "RawExchange | None",
    ) -> None:
        self._facts: tuple[Any, ...] = _FACTS_OF(facts)
        target = request.target
        self.target: str = target[:LONGEST_TARGET]
        self.fields: tuple[tuple[str, str], ...] = request.headers
        self._body: bytes = request.body[:SHOWN]
        self.answered: bytes = response_body[:SHOWN]
        self._sizes = len(request.body), len(response_body), len(target)
        if before is not None:
            self._share(before)
        if before is None or self.fields is not before.fields:
            self.fields = short_lines(self.fields)

    def _share(self, before: "RawExchange") -> None:
        if self.fields == before.fields:  # most clients send the same ones again
            self.fields = before.fields
        if self.target == before.target:
            self.target = before.target
        if self.answered == before.answered:
            self.answered = before.answered

    def redacted(self) -> Exchange:
        """The exchange with its secrets masked."""
        sent, answered, _ = self._sizes
        return self._exchange(
            request_headers=dict(_headers_as_of(self.fields, CHOSEN.changes)),
            request_body=preview(self._body, sent),
            response_body=preview(self.answered, answered),
        )

    @property
    def at(self) -> dt.datetime:
        """When it was answered, on the sandbox's clock."""
        at: dt.datetime = self._facts[_AT]
        return at

    def outline(self) -> str:
        """The exchange in one text, without its time, headers and bodies."""
        _, _, _, method, operation, status, credential, token, reason, _, notes, *_ = self._facts
        details = [*map(redact, (reason, *notes))] if reason or notes else ()
        what = f"{method} {self._shown_target()} -> {status or 'no answer'}"
        return _with_details(_line(what, operation, (credential, token)), details)

    def _shown_target(self) -> str:
        shown, size = _target_as_of(self.target, CHOSEN.changes), self._sizes[-1]
        return shown if size <= LONGEST_TARGET else f"{shown}{LEFT_OUT} ({size:,} characters)"

    def _exchange(self, **content: Any) -> Exchange:  # noqa: ANN401 - Exchange's fields
        facts = dict(zip(_FACTS, self._facts, strict=True))
        texts = {
            "target": self._shown_target(),
            "reason": redact(facts["reason"]),
            "notes": tuple(map(redact, facts["notes"])),
        }
        return Exchange(**facts | texts | content)


class KeptExchange:
    """An exchange in JSON, already redacted, from somewhere else."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def redacted(self) -> Exchange:
        """The exchange, read."""
        return Exchange.restored(json.loads(self._text))

    @property
    def at(self) -> dt.datetime:
        """When it was answered."""
        return self.redacted().at

    def outline(self) -> str:
        """The exchange in one text, without its time."""
        return self.redacted().outline()
