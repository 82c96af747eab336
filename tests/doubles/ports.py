"""Ports for servers that have to be told theirs before they start."""

import contextlib
import secrets  # noqa: TID251 - plugins seed `random` alike in all workers
import socket
from collections import deque

_PORTS = range(20_000, 30_000)
"""Below those that systems give to outgoing connections, and to servers that ask for any port."""

_held: deque[socket.socket] = deque(maxlen=64)
"""UDP sockets with the same numbers: so no other test, in any process, takes the last ports."""


def free_port() -> int:
    """A port of 127.0.0.1 where nothing listens, and which no other test gets meanwhile."""
    while True:
        port = secrets.choice(_PORTS)
        mark = socket.socket(type=socket.SOCK_DGRAM)
        with socket.socket() as tried, contextlib.suppress(OSError):
            mark.bind(("127.0.0.1", port))
            tried.bind(("127.0.0.1", port))
            _held.append(mark)
            return port
        mark.close()
