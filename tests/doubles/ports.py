"""Ports for servers that have to be told theirs before they start."""

import contextlib
import os
import secrets  # noqa: TID251 - plugins seed `random` alike in all workers
import socket
from collections import deque

_PORTS = range(20_000, 30_000)
"""Below those that systems give to outgoing connections, and to servers that ask for any port."""

_LONGEST_HELD = 64
_held: deque[int] = deque()
"""The descriptors of UDP sockets with the same numbers: so no other test gets the last ports."""


def free_port() -> int:
    """A port of 127.0.0.1 where nothing listens, and which no other test gets meanwhile."""
    while True:
        port = secrets.choice(_PORTS)
        mark = socket.socket(type=socket.SOCK_DGRAM)
        with socket.socket() as tried, contextlib.suppress(OSError):
            mark.bind(("127.0.0.1", port))
            tried.bind(("127.0.0.1", port))
            _hold(mark)
            return port
        mark.close()


def _hold(mark: socket.socket) -> None:
    if len(_held) == _LONGEST_HELD:
        os.close(_held.popleft())
    _held.append(mark.detach())


def has_ipv6() -> bool:
    """Whether this machine has the address ``::1``: many containers do not."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as tried:
        tried.bind(("::1", 0))
        return True
    return False
