"""A good receiver, with everything behind it that an attack can control or observe."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import turris_inbox
from turris_inbox import Inbox

MAX_BODY = turris_inbox.MAX_BODY

ENTITY = "507f1f77bcf86cd799439010"
KEY = "turris_sandbox_whsec_0123456789abcdef"
ALLOWED = "192.0.2.7"


@dataclass
class Backend:
    """The work of a receiver: its database, the API it reads, and how its work fails."""

    rows: dict[str, Any] = field(default_factory=dict)
    mode: str = ""
    api: str = "COMPLIANT"
    stored: str = ""
    log: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def act(self, key: str, entry: dict[str, Any]) -> None:
        """Store one row for each entry; the status comes from the API."""
        if self.mode == "before":
            raise RuntimeError("the database is away")
        self.rows[key] = entry
        self.stored = self.api
        if self.mode == "after":
            raise RuntimeError("the process is killed")

    def effects(self) -> int:
        """The number of rows."""
        return len(self.rows)

    @contextlib.contextmanager
    def failing_work(self, kind: str) -> Iterator[None]:
        """Make the work fail, or take long, inside the context."""
        self.mode = kind
        try:
            yield
        finally:
            self.mode = ""

    def api_status(self, status: str) -> None:
        """Make the API return this status."""
        self.api = status

    def state(self) -> str:
        """The stored status."""
        return self.stored


class StatusInbox(Inbox):
    """An inbox that reads the status from the API at each status event, even a repeated one."""

    backend: Backend

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        self.backend.stored = self.backend.api
        return super().act_once(digest, entries)


class ReceiverApp:
    """A WSGI application over an inbox: one route, one method, optionally an allowlist."""

    inbox_class: type[StatusInbox] = StatusInbox
    encoding: Literal["hex", "base64"] = "hex"
    allowlist = False

    def __init__(self, keys: Sequence[str], backend: Backend) -> None:
        self.backend = backend
        self.inbox = self.inbox_class(keys, ENTITY, backend.act)
        self.inbox.backend = backend

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., object]
    ) -> list[bytes]:
        status, answer = self.answer(environ)
        start_response(f"{status} x", [("Content-Type", "text/plain")])
        return [answer]

    def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        """Status and body."""
        if not self.is_route(environ["PATH_INFO"]):
            return 404, b""
        if not self.is_method(environ["REQUEST_METHOD"]):
            return 405, b""
        if self.allowlist and not self.is_allowed(environ):
            return 403, b""
        return self.receive(self.lines(environ), self.body(environ))

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        """The inbox's status, with an empty body."""
        return self.inbox.receive(lines, body), b""

    def is_route(self, path: str) -> bool:
        """Whether the application has this path."""
        return path == "/webhooks"

    def is_method(self, method: str) -> bool:
        """Whether the route takes this method."""
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


def slow_down(backend: Backend) -> None:
    """Take longer than an attack waits, if the backend is slow."""
    if backend.mode == "slow":
        time.sleep(3)
