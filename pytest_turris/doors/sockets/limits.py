"""Limits for one connection: the size of heads, what is read ahead, and the time to send a request.

uvicorn limits neither for httptools, which copies what it has of a header with each packet.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.flow_control import FlowControl

if sys.platform != "win32":  # which has no such limit for sockets
    import resource

MAX_HEAD = 65_536
"""Bytes of a head, of trailers, or of a chunk's extensions. h11 gets the same bound."""

MAX_CONNECTIONS = 1_000
"""At most; fewer where a process may open few files."""

_OWN_FILES = 64
"""Of the files that a process may open: standard streams, a store, receivers, listening sockets."""
_FEWEST = 16

READ_SECONDS = 30.0
"""A connection is dropped if it reads one head or body for this long, or at most twice that."""


class HeadTooLargeError(Exception):
    """Stops the parser in the middle of a head."""


class BoundedHead(asyncio.Protocol):
    """For uvicorn's httptools protocol: counts bytes that do not become part of a body."""

    cycle: Any

    is_in_head: bool = False
    """Whether the parser has read the beginning of a head."""

    is_head_too_large: bool = False

    _size = 0
    """Bytes of what is being read: a head, trailers, or a chunk's extensions."""
    _began_here = False
    """Whether what is being read began in this packet."""

    def data_received(self, data: bytes) -> None:
        """Parse, then refuse what is too long before its end has come."""
        before, self._began_here = self._size, False
        super().data_received(data)
        is_in_body = self.cycle is not None and self.cycle.more_body
        # The parser does not tell where in a packet something began. In front of it may be many
        # whole requests, so that only the lines that have come count for this packet.
        if not self._began_here and (self.is_in_head or is_in_body):
            self._size = before + len(data)
        if self._size > MAX_HEAD and not self.is_head_too_large:
            self.is_head_too_large = True
            cast("Any", self).send_400_response("")  # uvicorn's protocol has it

    def on_message_begin(self) -> None:
        """Begin to count for this request."""
        self.is_in_head = True
        self._begin()
        super().on_message_begin()  # type: ignore[misc]  # as above

    def on_url(self, url: bytes) -> None:
        """Count a part of the target."""
        super().on_url(url)  # type: ignore[misc]  # as above
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header or a trailer; a trailer is not one of the head (RFC 9110, 6.5.1)."""
        if self.is_in_head:
            super().on_header(name, value)  # type: ignore[misc]  # as above
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        """Begin to count for what follows."""
        self.is_in_head = False
        self._begin()
        super().on_headers_complete()  # type: ignore[misc]  # as above

    def on_body(self, body: bytes) -> None:
        """Begin to count for what follows."""
        self._begin()
        super().on_body(body)  # type: ignore[misc]  # as above

    def _begin(self) -> None:
        self._size, self._began_here = 0, True

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > MAX_HEAD:
            self.is_head_too_large = True
            raise HeadTooLargeError


class _PatientFlow(FlowControl):
    """Reads no further while requests wait that were read already: the others stay in the socket.

    Otherwise each answer would let in a packet with thousands of requests.

    Args:
        transport: The connection.
        has_waiting: Returns whether whole requests wait behind the one that is being answered.
    """

    def __init__(self, transport: asyncio.Transport, has_waiting: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._has_waiting = has_waiting

    def resume_reading(self) -> None:
        """Read on, unless requests wait."""
        if not self._has_waiting():
            super().resume_reading()


def most_connections() -> int:
    """How many connections are served at a time, as far as the process may open files.

    Half of these files are left to connections that are not counted: those that were just accepted,
    those that are being refused, and those in their TLS handshake.
    """
    if sys.platform == "win32":
        return MAX_CONNECTIONS
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(_FEWEST, (files - _OWN_FILES) // 2))


def allow_most_connections() -> None:
    """Let this process open as many files as all connections need, if the system allows it."""
    if sys.platform == "win32":
        return
    wanted = _OWN_FILES + 2 * MAX_CONNECTIONS
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    if files != resource.RLIM_INFINITY and files < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def expect_progress(protocol: Any, transport: asyncio.BaseTransport, before: object = None) -> None:  # noqa: ANN401 - uvicorn's protocols share no type
    """Drop a connection that reads the same head or body as ``READ_SECONDS`` ago; then look again.

    Responses may take any time, and uvicorn closes connections without a request itself. What the
    server does not read for now is not late.
    """
    if transport.is_closing():
        return
    is_reading = protocol.is_reading() and not protocol.flow.read_paused
    now = (is_reading, id(protocol.cycle), protocol.answered)
    if now == before and now[0]:
        transport.abort()  # type: ignore[attr-defined]  # an asyncio.Transport
        return
    asyncio.get_running_loop().call_later(READ_SECONDS, expect_progress, protocol, transport, now)
