"""HTTP/1.1 on one connection: uvicorn's protocols, with manners of their own.

Read by httptools where it is installed, four times as fast, else by h11. httptools drops the body
of a request that offers an upgrade, as each POST of Java's own client does (``Upgrade: h2c``): a
connection with such a request is read by h11 from there on.
"""

import asyncio
import re
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.http.h11_impl import H11Protocol

from pytest_turris.core.wire.errors import error_document
from pytest_turris.core.wire.messages import encode
from pytest_turris.doors.sockets import raw_response as raw_answer
from pytest_turris.doors.sockets.asgi import ABORT, WRITE, App, Receive, Scope, Send

_UPGRADE = re.compile(rb"\nupgrade[ \t]*:", re.IGNORECASE)
_WORD = len(b"\r\nupgrade:") + 16
"""As far as the word reaches, with more white space before the colon than anybody sends."""

_HEAD_END = b"\r\n\r\n"
_LONGEST_HEAD = 65_536
"""What h11 reads at most, as uvicorn has it."""

_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_NOT_HTTP = encode(error_document(400, "invalid_input", ["Request is not valid HTTP"]))
_NOT_HTTP_HEADERS = (
    (b"content-type", b"application/json; charset=utf-8"),
    (b"content-length", str(len(_NOT_HTTP)).encode()),
    (b"connection", b"close"),
)


def protocol() -> type[asyncio.Protocol]:
    """What uvicorn is to speak with each connection."""
    return _QuickProtocol


class _Manners(asyncio.Protocol):
    """Can drop a connection, answers garbage in Turris' words, and sends an answer whole."""

    app: Any
    flow: Any
    transport: Any

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - uvicorn's own type
        """Tell the application what it can do with this connection."""
        self._gathering = _Gathering(transport)
        super().connection_made(cast("Any", self._gathering))
        extensions = {
            ABORT: transport.abort,
            WRITE: partial(raw_answer.write, transport=transport, is_full=self._is_full),
        }
        self.app = partial(_extended, self.app, extensions)

    def eof_received(self) -> None:
        """The client sends no more, which ends the connection, but reads what was written."""
        self._gathering.flush()
        super().eof_received()

    def send_400_response(self, msg: str) -> None:
        """What could not be parsed: no sandbox sees it, so none can record it."""
        del msg  # it may hold what was sent
        fields = b"".join(b"%s: %s\r\n" % field for field in _NOT_HTTP_HEADERS)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + fields + b"\r\n" + _NOT_HTTP)
        self.transport.close()

    def _is_full(self) -> bool:
        return bool(self.flow.write_paused)


class _PatientProtocol(_Manners, H11Protocol):
    """Read by h11."""


class _QuickProtocol(_Manners, AutoHTTPProtocol):  # type: ignore[misc,valid-type]  # uvicorn's pick
    """Read by httptools, if it is installed, up to the first offer of an upgrade."""

    _head = b""
    """What came so far of a head without an end."""

    def data_received(self, data: bytes) -> None:
        """Read on, or leave that to the other protocol, from the head's first byte."""
        if not self._is_idle():
            return super().data_received(data)
        head, known = self._head + data, len(self._head)
        # The word may have been cut in two.
        if _UPGRADE.search(head, max(0, known - _WORD)):
            return self._hand_over().data_received(head)
        is_whole = head.find(_HEAD_END, max(0, known - len(_HEAD_END))) >= 0
        self._head = b"" if is_whole or len(head) > _LONGEST_HEAD else head
        return super().data_received(data)

    def _is_idle(self) -> bool:
        """Whether what comes is the head of a request; in a body the same words mean nothing."""
        last = self.cycle
        return last is None or (last.response_complete and not last.more_body)

    def _hand_over(self) -> _PatientProtocol:
        """What uvicorn does with a connection that becomes a WebSocket."""
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        transport = self._gathering.transport
        protocol = _PatientProtocol(self.config, self.server_state, self.app_state)
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        return protocol


class _Gathering:
    """A transport that sends what is written in one turn of the loop in one packet.

    uvicorn writes head and body of an answer one after the other, and each would wake the client.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._parts:
            asyncio.get_running_loop().call_soon(self.flush)
        self._parts.append(data)

    def flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts:
            self.transport.write(b"".join(parts))

    def close(self) -> None:
        self.flush()
        self.transport.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        return getattr(self.transport, name)


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
