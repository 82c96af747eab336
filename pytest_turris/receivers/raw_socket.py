"""Writes bytes to a receiver's socket that no client library would send."""

import contextlib
import http.client
import select
import socket
import ssl
from dataclasses import dataclass, replace

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.egress import Destination, connect
from pytest_turris.receivers.exchange import WebhookResponse
from pytest_turris.receivers.response_reader import read_response

RAW_TIMEOUT = 10.0
"""Seconds to wait for a response; the request may not be a valid one."""

_FAIR = 0.5
"""Seconds to wait for a response to a request whose end is not written yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RawPost:
    """A request as it is written, valid or not.

    Args:
        lines: The request line and the header lines, without their CRLF.
        pieces: The body in pieces, each written separately.
        finished: Whether the sender closes its side of the connection after the last piece. If
            not, it keeps it open while it waits for the response.
        rest: The end of the body, written only if there is no response to all before it.
        next_request: What is written to the connection after the response, if it is still open.
    """

    lines: tuple[bytes, ...]
    pieces: tuple[bytes, ...] = ()
    finished: bool = False
    rest: bytes = b""
    next_request: bytes = b""

    @property
    def head(self) -> bytes:
        """Everything before the body."""
        return b"".join(line + b"\r\n" for line in self.lines) + b"\r\n"


def post_raw(
    destination: Destination,
    sent: RawPost,
    *,
    timeout: float = RAW_TIMEOUT,
    patience: float = _FAIR,
) -> WebhookResponse:
    """Write a request until there is a response, and read that.

    ``written`` of the response is the number of bytes that were written before it.

    Args:
        destination: The checked URL.
        sent: The request.
        timeout: Seconds to wait for a response.
        patience: Seconds to wait for one before the request's ``rest`` is written.

    Raises:
        TimeoutError: There was no response in time.
        OSError: The receiver closed the connection without an HTTP response.
    """
    with contextlib.closing(open_connection(destination)) as sock:
        written = _write(sock, sent.head, *sent.pieces)
        ended = bool(sent.rest) and not _responds(sock, patience)
        if ended:
            written += _write(sock, sent.rest)
        if sent.finished:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
        try:
            response = replace(_read(sock, timeout), written=written, to_the_end=ended)
        except TimeoutError as error:
            message = f"no answer in {timeout:.0f} s to {written:,} bytes"
            raise TimeoutError(message) from error
        except OSError as error:
            raise ConnectionError(f"closed after {written:,} bytes: {error}") from error
        return replace(response, left_open=_takes_another(sock, sent.next_request, timeout))


def _responds(sock: socket.socket, patience: float) -> bool:
    """Whether there is a response, or the end of the connection, within some seconds."""
    return bool(select.select([sock], [], [], patience)[0])


def _takes_another(sock: socket.socket, request: bytes, timeout: float) -> bool:
    """Whether the connection takes another request after the response to the first."""
    if not request:
        return False
    _write(sock, request)
    try:
        _read(sock, timeout)
    except OSError:
        return False
    return True


def open_connection(destination: Destination) -> socket.socket:
    """Connect to a checked address, with TLS if the URL is https."""
    plain = connect(destination, RAW_TIMEOUT)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if destination.scheme == "http":
        return plain
    context = ssl.create_default_context()
    try:
        return context.wrap_socket(plain, server_hostname=destination.host)
    except OSError:
        plain.close()
        raise


def _write(sock: socket.socket, *pieces: bytes) -> int:
    """Write piece by piece until all is written or there is a response; return the byte count."""
    count = 0
    # A readable connection with TLS need not hold a response: it may be a session ticket.
    readable = [] if isinstance(sock, ssl.SSLSocket) else [sock]
    # A receiver that refuses a request early and hangs up may still have responded.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                responded, writable, _ = select.select(readable, [sock], [], RAW_TIMEOUT)
                if responded or not writable:
                    return count
                size = sock.send(rest)
                rest, count = rest[size:], count + size
    return count


def _read(sock: socket.socket, timeout: float) -> WebhookResponse:
    try:
        return read_response(sock, method="POST", deadline=steady_time() + timeout)
    except http.client.HTTPException as error:
        raise ConnectionError(f"no answer in HTTP: {type(error).__name__}") from error
