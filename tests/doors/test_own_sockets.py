"""Which sockets belong to this process."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket

from pytest_turris.relay import own_sockets
from pytest_turris.relay.own_sockets import has_socket


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listening socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_open_socket_is_known_and_a_closed_one_is_not(listener: socket.socket) -> None:
    """A client's end is the process' own as long as it is open."""
    with socket.create_connection(listener.getsockname()) as client:
        host, port = client.getsockname()
        assert has_socket(host, port)
        assert not has_socket("127.0.0.2", port)
    assert not has_socket(host, port)


def test_looking_leaves_the_socket_open(listener: socket.socket) -> None:
    """A socket that was looked at works as before."""
    with socket.create_connection(listener.getsockname()) as client, listener.accept()[0] as other:
        assert has_socket(*client.getsockname())
        client.sendall(b"still here")
        assert other.recv(16) == b"still here"


def test_sockets_may_be_off(listener: socket.socket) -> None:
    """pytest-socket, which forbids new sockets, does not object to looking at one."""
    host, port = listener.getsockname()
    pytest_socket.disable_socket()
    try:
        assert has_socket(host, port)
    finally:
        pytest_socket.enable_socket()


def test_nothing_is_known_without_a_list_of_open_files(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the system has no ``/dev/fd``, no socket counts as the process's own."""
    monkeypatch.setattr(own_sockets, "_OPEN_FILES", tmp_path / "missing")
    assert not has_socket(*listener.getsockname())
