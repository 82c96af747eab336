"""The ways in which a secret can leave an application: each leaks a canary on purpose."""

import contextlib
import logging
import os
import socket
import subprocess
import tempfile
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FunctionType

from pytest_turris.audit.leaks.hooks import REHEARSED

_APPLICATION = "turris_audit_canary.py"


def as_application(leak: Callable[[str], object]) -> Callable[[str], object]:
    """The same function, as if it were in a file of the application: the taps skip our files."""
    assert isinstance(leak, FunctionType)  # noqa: S101 - all of them are
    return FunctionType(leak.__code__.replace(co_filename=_APPLICATION), leak.__globals__)


def _logs(canary: str) -> None:
    logger = logging.getLogger("turris_audit.canary")
    logger.propagate = False
    logger.addHandler(handler := logging.NullHandler())
    try:
        logger.info("quiet", extra={"canary": canary})
    finally:
        logger.removeHandler(handler)


def _warns(canary: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn(canary, stacklevel=1)


def _imported_warn(canary: str) -> None:
    # As a module that has imported ``warn`` before the taps were in place.
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        warnings.warn_explicit(canary, UserWarning, _APPLICATION, 1)


def _thread(canary: str) -> None:
    error = ValueError(canary, REHEARSED)

    def fails() -> None:
        raise error

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()


def _unraisable(canary: str) -> None:
    error = ValueError(canary, REHEARSED)

    class Fails:
        def __del__(self) -> None:
            raise error

    Fails()


def _writes(canary: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, canary).write_text(canary, "utf-8")


def _renames(canary: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        first = Path(directory, "first")
        first.touch()
        first.rename(Path(directory, canary))


def _starts(canary: str) -> None:
    with contextlib.suppress(OSError):  # there is no such program
        subprocess.Popen([f"./{canary}"], stdin=subprocess.DEVNULL)  # noqa: S603 - as above


def _spawns(canary: str) -> None:
    with contextlib.suppress(OSError):  # there is no such program
        os.posix_spawn(f"./{canary}", [canary], {})


def _sends(canary: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        client.sendall(canary.encode())


def _sends_datagram(canary: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(canary.encode(), server.getsockname())


WAYS: tuple[tuple[str, str, Callable[[str], object]], ...] = (
    ("LK-01", "a logger that does not propagate", _logs),
    ("LK-03", "warnings.warn", _warns),
    ("LK-03", "warn, imported before", _imported_warn),
    ("LK-04", "a thread", _thread),
    ("LK-04", "an object's end", _unraisable),
    ("LK-06", "a file", _writes),
    ("LK-06", "a file that is renamed", _renames),
    ("LK-07", "subprocess", _starts),
    *((("LK-07", "os.posix_spawn", _spawns),) if hasattr(os, "posix_spawn") else ()),
    ("LK-08", "a connection", _sends),
    ("LK-08", "a datagram", _sends_datagram),
)
"""Each check with one way in which its channel is reached, in words, and the leak.

Nothing here runs a shell, so ``os.system`` is watched without a canary.
"""
