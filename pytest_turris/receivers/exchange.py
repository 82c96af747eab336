"""One exchange with a receiver: the request that is posted, and the response."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pytest_turris.core.wire.hosts import LOOPBACK


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """A request as it is sent, byte for byte.

    Args:
        headers: The header lines in order; a name may repeat. Values are encoded as Latin-1.
        body: The body, unchanged.
        path: Path and query; empty if the sender gave none.
        method: ``POST`` for everything that Turris sends; attacks try others.
        peer: The address that the request comes from: any, as an application in this process sees
            it; over a socket one of this machine's.
        split_at: Where the body is cut for an ASGI application, which gets it in two messages;
            0 does not cut it.
        exact_names: A function gets the names of headers in the given letters only; otherwise one
            that looks a header up in other letters is called again with those.
        host: The value of ``Host``, with its port if it is not the scheme's own. Empty: the URL's,
            or ``testserver`` for an application.
        scheme: ``http`` or ``https``, as an application or a test client sees it; empty: ``http``,
            or the client's own.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes
    path: str = ""
    method: str = "POST"
    peer: str = LOOPBACK
    split_at: int = 0
    exact_names: bool = False
    host: str = ""
    scheme: str = ""

    @property
    def app_host(self) -> str:
        """The value of ``Host`` for an application in this process."""
        return self.host or "testserver"

    @property
    def app_scheme(self) -> str:
        """The scheme that an application in this process sees."""
        return self.scheme or "http"

    @property
    def server(self) -> tuple[str, int]:
        """The name and port of the server, as an application in this process sees them."""
        parts = urlsplit(f"{self.app_scheme}://{self.app_host}")
        return parts.hostname or "", parts.port or (443 if self.app_scheme == "https" else 80)

    @property
    def app_path(self) -> str:
        """The path inside an application, which always begins with a slash."""
        return self.path if self.path.startswith("/") else f"/{self.path}"

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The header lines as bytes."""
        return [(name.encode("ascii"), value.encode("latin-1")) for name, value in self.headers]


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class WebhookResponse:
    """A receiver's response.

    Args:
        status_code: The status that Turris would see; 500 if the application raised first.
        headers: By lower-case name; the values of repeated lines are joined by a comma.
        body: The body; over a socket at most 1 MiB of it.
        error: The exception that the application raised, if any.
        written: How many bytes were written before it came, if it came over a raw socket.
        to_the_end: Over a raw socket: it came only after the request's end was written.
        left_open: Over a raw socket: another request on the connection got a response, too.
    """

    status_code: int
    headers: Mapping[str, str]
    body: bytes = b""
    error: Exception | None = None
    written: int = 0
    to_the_end: bool = False
    left_open: bool = False

    def __repr__(self) -> str:
        error = f", error={self.error!r}" if self.error else ""
        return f"WebhookResponse({self.status_code}, {len(self.body)} bytes{error})"

    @property
    def accepted(self) -> bool:
        """Whether Turris counts it as a success: 200-299 (documented: guides/webhooks)."""
        return 200 <= self.status_code <= 299  # noqa: PLR2004 - the documented range

    @property
    def text(self) -> str:
        """The body as UTF-8, with replacement characters for invalid bytes."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """Parse the body; ValueError if it is not JSON."""
        return json.loads(self.body)


def response_to_error(error: Exception) -> WebhookResponse:
    """Return the response of an application that raised: a server turns it into a bare 500."""
    return WebhookResponse(status_code=500, headers={}, error=error)


def fold_headers(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return header lines by lower-case name; repeated ones are joined by a comma."""
    headers: dict[str, str] = {}
    for name, value in lines:
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    return headers
