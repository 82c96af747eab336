"""Writes bytes to a receiver's socket that no client library would send."""

import contextlib
import http.client
import socket
import ssl
from dataclasses import dataclass

from pytest_turris.webhooks.connection import ANSWER_LIMIT
from pytest_turris.webhooks.egress import Destination
from pytest_turris.webhooks.exchange import WebhookAnswer, folded

PATIENCE = 3.0
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
    """Write it, and read the answer.

    Raises:
        OSError: The receiver closed the connection without an answer in HTTP, or sent none
            in three seconds.
    """
    with contextlib.closing(opened(destination)) as line:
        # Who refuses a request early has answered all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for part in (sent.head, *sent.pieces):
                line.sendall(part)
            if sent.finished:
                line.shutdown(socket.SHUT_WR)
        return _answer(line)


def opened(destination: Destination) -> socket.socket:
    """A connection to a checked address, with TLS where the URL says so."""
    plain = socket.create_connection((destination.address, destination.port), timeout=PATIENCE)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if destination.scheme == "http":
        return plain
    context = ssl.create_default_context()
    try:
        return context.wrap_socket(plain, server_hostname=destination.host)
    except OSError:
        plain.close()
        raise


def _answer(line: socket.socket) -> WebhookAnswer:
    response = http.client.HTTPResponse(line, method="POST")
    try:
        with contextlib.closing(response):
            response.begin()
            return WebhookAnswer(
                status_code=response.status,
                headers=folded(response.getheaders()),
                body=response.read(ANSWER_LIMIT),
            )
    except http.client.HTTPException as error:
        raise ConnectionError(f"no answer in HTTP: {type(error).__name__}") from error
