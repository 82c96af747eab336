"""A server that goes away while it answers."""

import socket
import threading
from http.client import HTTPConnection

import pytest

from pytest_turris.relay import client
from pytest_turris.relay.client import Relay, RelayError


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{",
        b"HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{",
    ],
)
def test_answer_that_breaks_off_is_the_servers_fault(answer: bytes) -> None:
    """It is reported as a server that does not answer is."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection = server.accept()[0]
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(RelayError, match=url):
            Relay(url, "token", workers=1, context=None)
        thread.join(10)


def test_server_that_hangs_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an answer that did not come, the next call waits for a short time only."""
    monkeypatch.setattr(client, "_TIMEOUT", 0.1)
    monkeypatch.setattr(client, "_SHORT_TIMEOUT", 0.05)
    waits: list[float | None] = []
    connect = Relay._connection

    def noted(self: Relay, timeout: float | None) -> HTTPConnection:
        waits.append(timeout)
        return connect(self, timeout)

    monkeypatch.setattr(Relay, "_connection", noted)
    with socket.create_server(("127.0.0.1", 0)) as server:
        relay = Relay.__new__(Relay)
        with pytest.raises(RelayError, match="timed out"):
            relay.__init__(  # type: ignore[misc]  # to have it after the error
                f"http://127.0.0.1:{server.getsockname()[1]}", "token", workers=1, context=None
            )
        with pytest.raises(RelayError, match="timed out"):
            relay._open({})
    assert waits == [0.1, 0.05]
