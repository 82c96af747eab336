"""Requests that a client sends before it has the answers to those before (RFC 9112, 9.3.2)."""

import asyncio
import socket
from collections.abc import Awaitable, Iterator

import pytest

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.sockets import limits
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.http1_h11 import _UpgradableProtocol
from pytest_turris.doors.sockets.plain import PlainAnswers
from pytest_turris.doors.sockets.server import LiveServer

MAX_SECONDS = 10
PACKET = 65_536
HEAD = b"GET /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\n"
GET = HEAD + b"X-Number: 123\r\n\r\n"
POST = GET.replace(b"GET", b"POST").replace(b"X-Number", b"Content-Length") + b"a" * 123
CHUNKED = GET.replace(b"GET", b"POST").replace(b"X-Number: 123", b"Transfer-Encoding: chunked")
LAST = HEAD + b"Connection: close\r\n\r\n"


class Served:
    """A sandbox on a socket, and how many bytes of requests the server held for each."""

    def __init__(self) -> None:
        self.sandbox = Sandbox()
        self.held: list[int] = []
        self.turns = 0
        """Of the loop, which an answer takes."""
        self.live: LiveServer

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Note what waits, and answer."""
        for protocol in self.live._server.server_state.connections:
            if isinstance(protocol, _UpgradableProtocol):
                self.held.append(len(protocol.conn.trailing_data[0]))
            else:
                self.held.append(len(protocol.pipeline) * len(GET))  # type: ignore[union-attr]  # httptools'
        return self._later(request) if self.turns else self.sandbox.handle(request)

    async def _later(self, request: Request) -> Response:
        for _ in range(self.turns):
            await asyncio.sleep(0)
        return self.sandbox.handle(request)

    def answers(self, sent: bytes) -> bytes:
        """What the server sends until it closes."""
        received = b""
        address = (self.live.host, self.live.port)
        with socket.create_connection(address, timeout=MAX_SECONDS) as sock:
            sock.sendall(sent)
            while data := sock.recv(PACKET):
                received += data
        return received


@pytest.fixture(params=["httptools", "httptools, all by ASGI", "h11"])
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A sandbox on a server with either parser."""
    if request.param == "h11":
        made = "pytest_turris.doors.sockets.server.protocol"
        monkeypatch.setattr(made, lambda _: _UpgradableProtocol)
    served = Served()
    plain = PlainAnswers(served.handle) if request.param == "httptools" else None
    served.live = LiveServer(asgi_app(served.handle), plain=plain)
    yield served
    served.live.stop()


@pytest.mark.parametrize(
    ("sent", "times"),
    [(GET, 2_000), (POST, 1_000), (CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", 1_000)],
    ids=["GET", "POST", "chunks"],
)
def test_sizes_of_requests_are_not_added_up(served: Served, sent: bytes, times: int) -> None:
    """The bound is that of one head, however many requests come at once."""
    answers = served.answers(sent * times + LAST)
    assert answers.count(b"HTTP/1.1 401 ") == answers.count(b"HTTP/1.1 ") == times + 1
    assert len(served.held) == times + 1


@pytest.mark.parametrize("turns", [0, 2])
def test_requests_wait_in_the_socket(served: Served, turns: int) -> None:
    """The server holds what came in a packet or two, not all that a client sends ahead."""
    times, served.turns = 6_000, turns
    answers = served.answers(GET * times + LAST)
    assert answers.count(b"HTTP/1.1 401 ") == times + 1
    assert PACKET // 4 < max(served.held) <= 2 * PACKET < times * len(GET)


def test_what_the_server_does_not_read_is_not_late(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head that has come in part waits behind an answer that takes long."""
    monkeypatch.setattr(limits, "READ_SECONDS", 0.1)
    served.sandbox.faults.add("list_agents", real_delay=0.5)
    assert served.answers(GET * 2 + HEAD).count(b"HTTP/1.1 401 ") == 2
