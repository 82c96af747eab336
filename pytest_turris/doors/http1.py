"""HTTP/1.1 on one connection: uvicorn's protocol, with manners of its own.

Which parser reads the bytes, h11 or the three times faster httptools, makes no difference to a
client: what they disagree on is decided here.
"""

import asyncio
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from pytest_turris.doors import raw_answer
from pytest_turris.doors.asgi import ABORT, WRITE, App, Receive, Scope, Send

_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_NOT_HTTP = (
    b'{"statusCode":400,"errorType":"invalid_input","errorMessage":["Request is not valid HTTP"]}'
)
_NOT_HTTP_HEADERS = (
    (b"content-type", b"application/json; charset=utf-8"),
    (b"content-length", str(len(_NOT_HTTP)).encode()),
    (b"connection", b"close"),
)


class Manners(asyncio.Protocol):
    """Can drop a connection, answers garbage in Turris' words, and sends an answer whole."""

    app: Any
    flow: Any
    transport: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the application what it can do with this connection."""
        plain = cast("asyncio.Transport", transport)
        super().connection_made(cast("asyncio.BaseTransport", _Gathering(plain)))
        extensions = {
            ABORT: plain.abort,
            WRITE: partial(raw_answer.write, transport=plain, is_full=self._is_full),
        }
        self.app = partial(_extended, self.app, extensions)

    def eof_received(self) -> None:
        """The client sends no more, which ends the connection, but reads what was written."""
        self.transport.flush()
        super().eof_received()

    def send_400_response(self, msg: str) -> None:
        """What could not be parsed: no sandbox sees it, so none can record it."""
        del msg  # it may hold what was sent
        fields = b"".join(b"%s: %s\r\n" % field for field in _NOT_HTTP_HEADERS)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + fields + b"\r\n" + _NOT_HTTP)
        self.transport.close()

    def _is_full(self) -> bool:
        return bool(self.flow.write_paused)


class HttpProtocol(Manners, AutoHTTPProtocol):  # type: ignore[misc,valid-type]  # uvicorn's pick
    """Such a connection, read by httptools where that is installed, else by h11."""


class _Gathering:
    """A transport that sends what is written in one turn of the loop in one packet.

    uvicorn writes head and body of an answer one after the other, and each would wake the client.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._parts:
            asyncio.get_running_loop().call_soon(self.flush)
        self._parts.append(data)

    def flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts:
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        return getattr(self._transport, name)


async def _extended(
    app: App, extensions: dict[str, Any], scope: Scope, receive: Receive, send: Send
) -> None:
    scope["extensions"] = scope.get("extensions", {}) | extensions
    names = [name for name, _ in scope["headers"]]
    # Where a request with both lengths ends is ambiguous; what follows could be another's
    # (RFC 9112, 6.3). So is whom one without its one Host is for (3.2).
    if _LENGTHS.issubset(names) or names.count(b"host") != 1:
        start = {"type": "http.response.start", "status": 400, "headers": _NOT_HTTP_HEADERS}
        await send(start)
        await send({"type": "http.response.body", "body": _NOT_HTTP})
    else:
        await app(scope, receive, send)
