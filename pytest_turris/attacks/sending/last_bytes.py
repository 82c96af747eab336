"""Requests that end at the same moment, so that a receiver works on all of them at once.

Threads that each send a request are too far apart on a busy machine for a race to show. So each
writes its request but for the last byte, and then one of them writes all last bytes.
"""

import contextlib
import socket
import threading


class LastBytes:
    """The last bytes of some requests, each in a thread of its own.

    A server that takes a connection only when it is done with another would make them wait for
    each other: after some time, those that are ready go on.

    Args:
        count: How many requests there are.
        patience: Seconds after which those that are ready end without the others.
    """

    def __init__(self, count: int, patience: float) -> None:
        self._patience = patience
        self._open: list[tuple[socket.socket, bytes]] = []
        self._ready = threading.Barrier(count, self._write_all)

    def write(self, connection: socket.socket, last: bytes) -> None:
        """Write the last byte of a request when all others are written up to theirs.

        Raises:
            OSError: The connection is closed already.
        """
        self._open.append(own := (connection, last))
        with contextlib.suppress(threading.BrokenBarrierError):
            self._ready.wait(self._patience)
        with contextlib.suppress(ValueError):  # written by another thread
            self._open.remove(own)
            connection.sendall(last)

    def give_up(self) -> None:
        """Let the others end, as one request cannot be sent."""
        self._ready.abort()

    def _write_all(self) -> None:
        while self._open:
            connection, last = self._open.pop()
            with contextlib.suppress(OSError):  # its own thread reads why
                connection.sendall(last)
