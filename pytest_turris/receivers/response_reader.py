"""Reads a response from a socket, limited in size and total time, even if it comes slowly."""

import contextlib
import http.client
import io
import socket
from typing import Any

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.exchange import WebhookResponse, fold_headers

BODY_LIMIT = 1024 * 1024
"""How many bytes of a response's body are read."""


def read_response(sock: socket.socket, *, method: str, deadline: float) -> WebhookResponse:
    """Read the response to a request that was sent.

    Args:
        sock: The connected socket.
        method: The method of the request.
        deadline: The ``steady_time()`` by which the response must be complete.

    Raises:
        TimeoutError: It was not complete in time.
        OSError: The connection broke.
        http.client.HTTPException: The bytes are not an HTTP response.
    """
    limited: Any = _DeadlineSocket(sock, deadline)  # HTTPResponse only calls its makefile()
    with contextlib.closing(http.client.HTTPResponse(limited, method=method)) as response:
        response.begin()
        return WebhookResponse(
            status_code=response.status,
            headers=fold_headers(response.getheaders()),
            body=response.read(BODY_LIMIT),
        )


class _DeadlineSocket:
    """A socket that is read until a deadline; a socket's own timeout is one for each read."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self._sock, self._deadline))


class _DeadlineReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any writable bytes
        left = self._deadline - steady_time()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
