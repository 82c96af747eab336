"""A server that a process waits for, until a signal or until the server ends."""

import signal
import socket
import threading
from types import FrameType

import pytest

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.server import LiveServer

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="signals of POSIX")


class _SignalError(Exception):
    """What the handler of the signal raises."""


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise _SignalError


def test_stop_waits_for_the_thread_after_a_signal_ended_the_wait() -> None:
    """The server still answers then, and its sockets are closed by its own thread."""
    server = LiveServer(asgi_app(Sandbox().handle))
    before = signal.signal(signal.SIGUSR1, _raise)
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGUSR1))
    try:
        timer.start()
        with pytest.raises(_SignalError):
            server.wait()
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert server._thread.is_alive()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(b"GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(8) == b"HTTP/1.1"
    server.stop()
    assert not server._thread.is_alive()


def test_a_wait_ends_with_the_server() -> None:
    """From whatever thread it is stopped."""
    server = LiveServer(asgi_app(Sandbox().handle))
    server.begin_stop()
    server.wait()
    server.stop()
