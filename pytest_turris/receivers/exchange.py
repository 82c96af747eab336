"""One exchange with a receiver: what is posted, and what came back."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_turris.core.wire.hosts import LOOPBACK


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """A request, as bytes go out.

    Args:
        headers: The header lines in order; a name may repeat. Values are written in Latin-1.
        body: Sent as it is.
        path: Path and query; empty where the sender gave none.
        method: ``POST`` for all that Turris sends; hostile senders try others.
        peer: The address that an application in this process sees the request come from.
        split_at: An ASGI application gets the body in two messages, cut here; 0 cuts nowhere.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes
    path: str = ""
    method: str = "POST"
    peer: str = LOOPBACK
    split_at: int = 0

    @property
    def app_path(self) -> str:
        """The path inside an application, which always begins with a slash."""
        return self.path if self.path.startswith("/") else f"/{self.path}"

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The header lines as HTTP writes them."""
        return [(name.encode("ascii"), value.encode("latin-1")) for name, value in self.headers]


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class WebhookAnswer:
    """What a receiver answered.

    Args:
        status_code: The status that Turris would see; 500 where the application raised first.
        headers: By lower-case name; the values of repeated lines are joined by a comma.
        body: At most 1 MiB of it, where it came over a socket.
        error: What the application raised, if anything.
        written: How many bytes were written before it came, where a raw socket was written to.
    """

    status_code: int
    headers: Mapping[str, str]
    body: bytes = b""
    error: Exception | None = None
    written: int = 0

    def __repr__(self) -> str:
        error = f", error={self.error!r}" if self.error else ""
        return f"WebhookAnswer({self.status_code}, {len(self.body)} bytes{error})"

    @property
    def accepted(self) -> bool:
        """Whether Turris takes it for success: 200-299 (documented)."""
        return 200 <= self.status_code <= 299  # noqa: PLR2004 - the documented range

    @property
    def text(self) -> str:
        """The body as UTF-8, with replacement characters where it is not."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:  # noqa: ANN401 - whatever the receiver sent
        """The parsed body; ValueError if it is not JSON."""
        return json.loads(self.body)


def raised(error: Exception) -> WebhookAnswer:
    """The answer of an application that raised: a server turns it into a bare 500."""
    return WebhookAnswer(status_code=500, headers={}, error=error)


def folded(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Header lines by lower-case name, repeated ones joined by a comma."""
    headers: dict[str, str] = {}
    for name, value in lines:
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    return headers
