"""Reads a response from a socket, limited in size and total time, even if it comes slowly."""

import contextlib
import http.client
import io
import socket
from typing import Any

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.exchange import WebhookResponse, fold_headers

HEAD_LIMIT = 64 * 1024
"""How many bytes may come before a response's body, those of interim responses included."""

BODY_LIMIT = 1024 * 1024
"""How many bytes of a response's body are read."""

WIRE_LIMIT = 8 * BODY_LIMIT
"""How many bytes may come for that: chunks of one byte each need six times as many."""


def read_response(sock: socket.socket, *, method: str, deadline: float) -> WebhookResponse:
    """Read the response to a request that was sent.

    Args:
        sock: The connected socket.
        method: The method of the request.
        deadline: The ``steady_time()`` by which the response must be complete.

    Raises:
        TimeoutError: It was not complete in time.
        OSError: The connection broke, or more bytes came than a response may have.
        http.client.HTTPException: The bytes are not an HTTP response.
    """
    reader = _LimitedReader(sock, deadline)
    limited: Any = _LimitedSocket(reader)  # HTTPResponse only calls its makefile()
    with contextlib.closing(http.client.HTTPResponse(limited, method=method)) as response:
        response.begin()
        reader.allow(WIRE_LIMIT, "body; send it in larger chunks, without trailers")
        return WebhookResponse(
            status_code=response.status,
            headers=fold_headers(response.getheaders()),
            body=response.read(BODY_LIMIT),
        )


class _LimitedReader(io.RawIOBase):
    """Reads a socket until a deadline; a socket's own timeout is one for each read.

    It limits the bytes, too: interim responses, chunks and trailers may be endless.
    """

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline
        self._raw = sock.makefile("rb", buffering=0)
        self.allow(HEAD_LIMIT, "head; send fewer headers and interim responses")

    def allow(self, size: int, part: str) -> None:
        """Read as many bytes of a part from now on; the words for it say how to send less."""
        self._left = size
        self._refusal = f"the response has more than {size:,} bytes of {part}"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any writable bytes
        time_left = self._deadline - steady_time()
        if time_left <= 0:
            raise TimeoutError("timed out")
        if self._left <= 0:
            raise ConnectionError(self._refusal)
        self._sock.settimeout(time_left)
        size = self._raw.readinto(buffer)
        self._left -= size or 0
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _LimitedSocket:
    def __init__(self, reader: _LimitedReader) -> None:
        self._reader = reader

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._reader)
