"""Whether a connection belongs to this process; used for requests without a credential."""

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

_OPEN_FILES = Path("/dev/fd")  # Linux, macOS, BSD; elsewhere nothing is known


def has_socket(host: str, port: int) -> bool:
    """Whether one end of a connection is a socket of this process."""
    return any(name[:2] == (host, port) for name in _names())


def _names() -> Iterator[tuple[str, int]]:
    """The addresses of all sockets that are open."""
    try:
        files = [int(file.name) for file in _OPEN_FILES.iterdir()]
    except OSError:
        return
    for file in files:
        # Closed by its owner meanwhile, or no socket of the internet.
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(file).st_mode):
                # Not ``socket.socket``, which pytest-socket forbids: nothing is connected here.
                with contextlib.closing(socket.SocketType(fileno=os.dup(file))) as end:
                    name = end.getsockname()
                if isinstance(name, tuple):
                    yield name
