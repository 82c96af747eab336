"""A server that goes away while it answers."""

import socket
import threading

import pytest

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
