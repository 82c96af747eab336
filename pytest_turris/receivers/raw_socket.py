"""Writes bytes to a receiver's socket that no client library would send."""

import contextlib
import http.client
import select
import socket
import ssl
from dataclasses import dataclass, replace

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.egress import Destination
from pytest_turris.receivers.exchange import WebhookAnswer
from pytest_turris.receivers.response_reader import read_answer

RAW_TIMEOUT = 3.0
"""Seconds to wait for an answer to a request that may not be one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RawPost:
    """A request as it is written, right or wrong.

    Args:
        lines: The request line and the header lines, without their CRLF.
        pieces: The body, each piece written by itself.
        finished: Whether the sender stops sending when it is through. If not, it waits for the
            answer with its side open.
    """

    lines: tuple[bytes, ...]
    pieces: tuple[bytes, ...] = ()
    finished: bool = False

    @property
    def head(self) -> bytes:
        """Everything before the body."""
        return b"".join(line + b"\r\n" for line in self.lines) + b"\r\n"


def post(destination: Destination, sent: RawPost) -> WebhookAnswer:
    """Write it until there is an answer, and read that; it says how much was written before.

    Raises:
        TimeoutError: There was no answer in three seconds.
        OSError: The receiver closed the connection without an answer in HTTP.
    """
    with contextlib.closing(opened(destination)) as line:
        written = _written(line, sent)
        try:
            return replace(_answer(line), written=written)
        except TimeoutError as error:
            words = f"no answer in {RAW_TIMEOUT:.0f} s to {written:,} bytes"
            raise TimeoutError(words) from error
        except OSError as error:
            raise ConnectionError(f"closed after {written:,} bytes: {error}") from error


def opened(destination: Destination) -> socket.socket:
    """A connection to a checked address, with TLS where the URL says so."""
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


def _written(line: socket.socket, sent: RawPost) -> int:
    """Write piece by piece until all is written or there is an answer; how many bytes were."""
    count = 0
    # What there is to read of a connection with TLS need not be an answer.
    answers = [] if isinstance(line, ssl.SSLSocket) else [line]
    # A server that refuses a request early has answered anyway.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
        for piece in (sent.head, *sent.pieces):
            rest = memoryview(piece)
            while rest:
                answered, writable, _ = select.select(answers, [line], [], RAW_TIMEOUT)
                if answered or not writable:
                    return count
                size = line.send(rest)
                rest, count = rest[size:], count + size
        if sent.finished:
            line.shutdown(socket.SHUT_WR)
    return count


def _answer(line: socket.socket) -> WebhookAnswer:
    try:
        return read_answer(line, method="POST", until=steady_time() + RAW_TIMEOUT)
    except http.client.HTTPException as error:
        raise ConnectionError(f"no answer in HTTP: {type(error).__name__}") from error
