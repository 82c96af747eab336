"""Limits for one connection: the size of heads, and the time to send a request.

uvicorn limits neither for httptools, which copies what it has of a header with each packet.
"""

import asyncio
import contextlib
import sys
from typing import Any, cast

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
    _had_body = False

    def data_received(self, data: bytes) -> None:
        """Parse, then refuse what is too long before its end has come."""
        self._had_body = False
        super().data_received(data)
        is_in_body = self.cycle is not None and self.cycle.more_body
        if self.is_in_head or (is_in_body and not self._had_body):
            self._size += len(data)
        if self._size > MAX_HEAD and not self.is_head_too_large:
            self.is_head_too_large = True
            cast("Any", self).send_400_response("")  # uvicorn's protocol has it

    def on_message_begin(self) -> None:
        """Begin to count for this request."""
        self.is_in_head = True
        self._size = 0
        super().on_message_begin()  # type: ignore[misc]  # as above

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header or a trailer."""
        super().on_header(name, value)  # type: ignore[misc]  # as above
        self._size += len(name) + len(value)
        if self._size > MAX_HEAD:
            self.is_head_too_large = True
            raise HeadTooLargeError

    def on_headers_complete(self) -> None:
        """Begin to count for what follows."""
        self.is_in_head = False
        self._size = 0
        super().on_headers_complete()  # type: ignore[misc]  # as above

    def on_body(self, body: bytes) -> None:
        """Note that the body grows."""
        self._had_body = True
        self._size = 0
        super().on_body(body)  # type: ignore[misc]  # as above


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

    Responses may take any time, and uvicorn closes connections without a request itself.
    """
    if transport.is_closing():
        return
    now = (protocol.is_reading(), id(protocol.cycle), protocol.answered)
    if now == before and now[0]:
        transport.abort()  # type: ignore[attr-defined]  # an asyncio.Transport
        return
    asyncio.get_running_loop().call_later(READ_SECONDS, expect_progress, protocol, transport, now)
