"""A good receiver with every handle that an attack can ask for."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import turris_inbox
from turris_inbox import Inbox

MAX_BODY = turris_inbox.MAX_BODY

ENTITY = "507f1f77bcf86cd799439010"
KEY = "turris_sandbox_whsec_0123456789abcdef"
ALLOWED = "192.0.2.7"


@dataclass
class Desk:
    """The work behind an inbox, its effects, and what can go wrong with it."""

    rows: dict[str, Any] = field(default_factory=dict)
    mode: str = ""
    api: str = "COMPLIANT"
    stored: str = ""

    def act(self, key: str, entry: dict[str, Any]) -> None:
        """One row for each entry; the status is read from the API."""
        if self.mode == "before":
            raise RuntimeError("the database is away")
        self.rows[key] = entry
        self.stored = self.api
        if self.mode == "after":
            raise RuntimeError("the process is killed")

    def effects(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @contextlib.contextmanager
    def trouble(self, kind: str) -> Iterator[None]:
        """The work fails, or takes long."""
        self.mode = kind
        try:
            yield
        finally:
            self.mode = ""

    def truth(self, status: str) -> None:
        """What the API says."""
        self.api = status

    def state(self) -> str:
        """What is believed: it is read again at each webhook."""
        return self.stored


class HintedInbox(Inbox):
    """An inbox that reads the status from the API at every status event, a repeated one too."""

    desk: Desk

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        self.desk.stored = self.desk.api
        return super().act_once(digest, entries)


class Door:
    """A WSGI application over an inbox: one route, one method, an allowlist on demand."""

    inbox_class: type[HintedInbox] = HintedInbox
    allowlist = False

    def __init__(self, keys: Sequence[str], desk: Desk) -> None:
        self.desk = desk
        self.inbox = self.inbox_class(keys, ENTITY, desk.act)
        self.inbox.desk = desk

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., object]
    ) -> list[bytes]:
        status, answer = self.answer(environ)
        start_response(f"{status} x", [("Content-Type", "text/plain")])
        return [answer]

    def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        """Status and body."""
        if not self.routed(environ["PATH_INFO"]):
            return 404, b""
        if not self.method_is_fine(environ["REQUEST_METHOD"]):
            return 405, b""
        if self.allowlist and not self.is_allowed(environ):
            return 403, b""
        return self.received(self.lines(environ), self.body(environ))

    def received(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        """What the inbox says."""
        return self.inbox.receive(lines, body), b""

    def routed(self, path: str) -> bool:
        """Whether this is the path."""
        return path == "/webhooks"

    def method_is_fine(self, method: str) -> bool:
        """Whether this is the method."""
        return method == "POST"

    def is_allowed(self, environ: dict[str, Any]) -> bool:
        """Whether the peer is on the allowlist."""
        peer: str = environ["REMOTE_ADDR"]
        return peer.removeprefix("::ffff:") == ALLOWED

    def lines(self, environ: dict[str, Any]) -> list[tuple[str, str]]:
        """The header lines."""
        found = [
            (name[5:].replace("_", "-"), value)
            for name, value in environ.items()
            if name.startswith("HTTP_")
        ]
        return [*found, ("Content-Type", environ.get("CONTENT_TYPE", ""))]

    def body(self, environ: dict[str, Any]) -> bytes:
        """The raw body."""
        body: bytes = environ["wsgi.input"].read()
        return body


def slow_down(desk: Desk) -> None:
    """Take longer than an attack waits, if it is said so."""
    if desk.mode == "slow":
        time.sleep(2.1)
