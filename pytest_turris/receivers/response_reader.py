"""Reads a receiver's answer from a socket: bounded in size, and in time however it drips."""

import contextlib
import http.client
import io
import socket
from typing import Any

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.exchange import WebhookAnswer, folded

ANSWER_LIMIT = 1024 * 1024
"""Bytes of an answer's body that are read."""


def read_answer(line: socket.socket, *, method: str, until: float) -> WebhookAnswer:
    """Read the answer to a request that was sent, ``until`` a ``steady_time()``.

    Raises:
        TimeoutError: The answer did not arrive in time.
        OSError: The connection broke.
        http.client.HTTPException: The answer is not valid HTTP.
    """
    sock: Any = _Clocked(line, until)  # all that it is asked for is makefile()
    with contextlib.closing(http.client.HTTPResponse(sock, method=method)) as response:
        response.begin()
        return WebhookAnswer(
            status_code=response.status,
            headers=folded(response.getheaders()),
            body=response.read(ANSWER_LIMIT),
        )


class _Clocked:
    """A socket to read from until a moment; its own timeout is one for each read."""

    def __init__(self, line: socket.socket, until: float) -> None:
        self._line, self._until = line, until

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reads(self._line, self._until))


class _Reads(io.RawIOBase):
    def __init__(self, line: socket.socket, until: float) -> None:
        self._line, self._until = line, until
        self._raw = line.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any writable bytes
        left = self._until - steady_time()
        if left <= 0:
            raise TimeoutError("timed out")
        self._line.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
