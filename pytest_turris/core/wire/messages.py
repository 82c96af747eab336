"""The port of the core: every door passes in a Request and gets back a Response."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json, to_json

from pytest_turris.core.wire.hosts import LOOPBACK

Fields = tuple[tuple[str, str], ...]

TOKEN_REQUEST = ("POST", "/v1/auth/jwt")
"""Method and path of the token endpoint (documented: auth/get-oauth-token)."""


_AT_ONCE = dt.timedelta(0)


# A frozen dataclass sets each field by a call of its own, which is a tenth of a short request's
# time: so both classes fill their namespace themselves.
@dataclass(frozen=True, init=False)
class Request:
    """An HTTP request as an API sees it (RFC 9110).

    ``headers`` are field lines in the order received, names in lower case; ``path`` and
    ``query`` are as sent, still percent-encoded.
    """

    method: str
    path: str
    query: str = ""
    headers: Fields = ()
    body: bytes = b""
    scheme: str = "https"
    host: str = ""
    client_ip: str = LOOPBACK
    client_port: int = 0
    """0 where there is no socket."""
    patience: float | None = None
    """How many seconds the client waits for the answer; None if that is without end or unknown."""

    is_given_up = False
    """Whether a deadline of the client's event loop has ended its wait for a late answer."""

    def __init__(
        self,
        *,
        method: str,
        path: str,
        query: str = "",
        headers: Fields = (),
        body: bytes = b"",
        scheme: str = "https",
        host: str = "",
        client_ip: str = LOOPBACK,
        client_port: int = 0,
        patience: float | None = None,
    ) -> None:
        vars(self).update(
            method=method,
            path=path,
            query=query,
            headers=headers,
            body=body,
            scheme=scheme,
            host=host,
            client_ip=client_ip,
            client_port=client_port,
            patience=patience,
        )

    def lines(self, name: str) -> tuple[str, ...]:
        """The values of a header's field lines, by its lower-case name."""
        # Not ``cached_property``, which takes a lock.
        last: dict[str, str] | None = vars(self).get("_last_lines")
        if last is None:
            last = vars(self)["_last_lines"] = dict(self.headers)
        if name not in last:
            return ()
        if len(last) == len(self.headers):
            return (last[name],)
        return tuple([value for field, value in self.headers if field == name])

    def header(self, name: str) -> str:
        """The value of a header, repeated field lines joined by a comma; empty if absent."""
        lines = self.lines(name)
        return lines[0] if len(lines) == 1 else ", ".join(lines)

    def give_up(self) -> None:
        """Note that the client no longer waits for the answer."""
        vars(self).update(is_given_up=True)

    @property
    def media_type(self) -> str:
        """That of the body, in lower case and without parameters (RFC 9110, 8.3.1)."""
        known: str | None = vars(self).get("_media_type")  # as in ``lines``
        if known is None:
            known = self.header("content-type").partition(";")[0].strip().lower()
            vars(self)["_media_type"] = known
        return known

    @property
    def is_token_request(self) -> bool:
        """Whether it asks for an access token: ``POST /v1/auth/jwt`` (documented)."""
        return self.path == TOKEN_REQUEST[1] and self.method == TOKEN_REQUEST[0]

    @property
    def target(self) -> str:
        """Path and query, as in the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, init=False)
class Response:
    """An HTTP response.

    ``delay`` is how long it took on the sandbox's clock; ``real_delay`` is how many seconds a door
    to a socket waits before it sends the response.
    """

    status: int
    headers: Fields = ()
    body: bytes = b""
    delay: dt.timedelta = _AT_ONCE
    real_delay: float = 0.0

    def __init__(
        self,
        *,
        status: int,
        headers: Fields = (),
        body: bytes = b"",
        delay: dt.timedelta = _AT_ONCE,
        real_delay: float = 0.0,
    ) -> None:
        vars(self).update(
            status=status, headers=headers, body=body, delay=delay, real_delay=real_delay
        )

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body as JSON."""
        return from_json(self.body)


JSON_HEADERS: Fields = (("content-type", "application/json; charset=utf-8"),)

NO_SNIFFING = ("x-content-type-options", "nosniff")
"""A browser takes the body for what its type says, never for HTML (Fetch standard, 3.6)."""


def encode(document: object) -> bytes:
    """Compact UTF-8 JSON, as a Node server writes it."""
    return to_json(document)
