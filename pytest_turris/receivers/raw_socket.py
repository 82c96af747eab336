"""Writes bytes to a receiver's socket that no client library would send."""

import contextlib
import http.client
import select
import socket
import ssl
from dataclasses import dataclass, replace

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.egress import Destination
from pytest_turris.receivers.exchange import WebhookResponse
from pytest_turris.receivers.response_reader import read_response

RAW_TIMEOUT = 3.0
"""Seconds to wait for a response; the request may not be a valid one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RawPost:
    """A request as it is written, valid or not.

    Args:
        lines: The request line and the header lines, without their CRLF.
        pieces: The body in pieces, each written separately.
        finished: Whether the sender closes its side of the connection after the last piece. If
            not, it keeps it open while it waits for the response.
    """

    lines: tuple[bytes, ...]
    pieces: tuple[bytes, ...] = ()
    finished: bool = False

    @property
    def head(self) -> bytes:
        """Everything before the body."""
        return b"".join(line + b"\r\n" for line in self.lines) + b"\r\n"


def post_raw(destination: Destination, sent: RawPost) -> WebhookResponse:
    """Write a request until there is a response, and read that.

    ``written`` of the response is the number of bytes that were written before it.

    Raises:
        TimeoutError: There was no response in three seconds.
        OSError: The receiver closed the connection without an HTTP response.
    """
    with contextlib.closing(open_connection(destination)) as sock:
        written = _write(sock, sent)
        try:
            return replace(_read(sock), written=written)
        except TimeoutError as error:
            message = f"no answer in {RAW_TIMEOUT:.0f} s to {written:,} bytes"
            raise TimeoutError(message) from error
        except OSError as error:
            raise ConnectionError(f"closed after {written:,} bytes: {error}") from error


def open_connection(destination: Destination) -> socket.socket:
    """Connect to a checked address, with TLS if the URL is https."""
    plain = socket.create_connection((destination.address, destination.port), timeout=RAW_TIMEOUT)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if destination.scheme == "http":
        return plain
    context = ssl.create_default_context()
    try:
        return context.wrap_socket(plain, server_hostname=destination.host)
    except OSError:
        plain.close()
        raise


def _write(sock: socket.socket, sent: RawPost) -> int:
    """Write piece by piece until all is written or there is a response; return the byte count."""
    count = 0
    # A readable connection with TLS need not hold a response: it may be a session ticket.
    readable = [] if isinstance(sock, ssl.SSLSocket) else [sock]
    # A receiver that refuses a request early and hangs up may still have responded.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
        for piece in (sent.head, *sent.pieces):
            rest = memoryview(piece)
            while rest:
                responded, writable, _ = select.select(readable, [sock], [], RAW_TIMEOUT)
                if responded or not writable:
                    return count
                size = sock.send(rest)
                rest, count = rest[size:], count + size
        if sent.finished:
            sock.shutdown(socket.SHUT_WR)
    return count


def _read(sock: socket.socket) -> WebhookResponse:
    try:
        return read_response(sock, method="POST", deadline=steady_time() + RAW_TIMEOUT)
    except http.client.HTTPException as error:
        raise ConnectionError(f"no answer in HTTP: {type(error).__name__}") from error
