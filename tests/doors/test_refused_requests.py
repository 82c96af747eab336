"""What is refused before any sandbox sees it: one line of the log each, with the reason."""

import json
import logging
import re
import socket
from collections.abc import Iterator

import pytest

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets import limits
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.http1 import protocol
from pytest_turris.doors.sockets.http1_h11 import _UpgradableProtocol
from pytest_turris.doors.sockets.plain import PlainAnswers
from pytest_turris.doors.sockets.server import LiveServer

PARSERS = {"httptools": protocol, "h11": lambda _: _UpgradableProtocol}
CANARY = "turris_sandbox_canary_0123456789"
LINES = "Host: 127.0.0.1\r\nConnection: close\r\n"
POST = f"POST /v1/auth/jwt HTTP/1.1\r\n{LINES}"


@pytest.fixture(params=PARSERS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    """A server with either parser."""
    monkeypatch.setattr("pytest_turris.doors.sockets.server.protocol", PARSERS[request.param])
    handle = Sandbox().handle
    live = LiveServer(asgi_app(handle), plain=PlainAnswers(handle))
    yield live
    live.stop()


def answer(server: LiveServer, sent: str) -> tuple[int, str]:
    """Send a request, and return the status and the first message of the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(sent.encode())
        received = b"".join(iter(lambda: client.recv(65_536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["errorMessage"][0]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings and errors of the log."""
    return [row.getMessage() for row in caplog.records if row.levelno >= logging.WARNING]


NOT_HTTP = {
    "two Hosts": (
        f"GET /{CANARY} HTTP/1.1\r\n{LINES}Host: localhost\r\n\r\n",
        "Host: header|2 Host headers",
    ),
    "no Host": (f"GET /{CANARY}?a={CANARY} HTTP/1.1\r\n\r\n", "Host: header|no Host header"),
    "a name that is none": (f"GET / HTTP/1.1\r\n{LINES}{CANARY}\r\n\r\n", "header (token|line)"),
    "a value that is none": (
        f"GET / HTTP/1.1\r\n{LINES}A: {CANARY}\0\r\n\r\n",
        "header (value|line)",
    ),
    "a target that is none": (f"GET /{CANARY}\0 HTTP/1.1\r\n{LINES}\r\n", "url path|request line"),
    "no HTTP": (f"\x16\x03 {CANARY}\r\n\r\n", "method|request line"),
    "two lengths": (f"{POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}", "Content-Length"),
    "both lengths": (
        f"{POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length",
    ),
    "no size of a chunk": (f"{POST}Transfer-Encoding: chunked\r\n\r\n{CANARY}\r\n", "chunk"),
}


@pytest.mark.parametrize(("sent", "reason"), NOT_HTTP.values(), ids=NOT_HTTP)
def test_refusal_is_one_line_with_the_reason_of_the_answer(
    server: LiveServer, caplog: pytest.LogCaptureFixture, sent: str, reason: str
) -> None:
    """Without what the client sent; a request that is unknown so far has its sender."""
    status, message = answer(server, sent)
    assert status == 400
    (line,) = lines(caplog)
    assert line.endswith(f" -> 400  {message}")
    assert line.startswith(("GET /", "POST /", "a request from 127.0.0.1 port "))
    assert CANARY not in line + message
    assert line.isprintable()
    assert re.search(reason, message)


@pytest.mark.parametrize(
    "coding",
    ["gzip, chunked", "gzip,chunked", "x-new, chunked", "gzip\r\nTransfer-Encoding: chunked"],
)
def test_body_in_an_unknown_transfer_coding_is_not_taken_for_another(
    server: LiveServer, caplog: pytest.LogCaptureFixture, coding: str
) -> None:
    """It is not decoded, so that it is refused with 501 (RFC 9112, 6.1)."""
    sent = f"{POST}Transfer-Encoding: {coding}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
    assert answer(server, sent) == (501, "Only Transfer-Encoding: chunked is supported")
    assert len(lines(caplog)) == 1


def test_chunked_is_read_in_any_case(server: LiveServer, caplog: pytest.LogCaptureFixture) -> None:
    """The names of codings have no case (RFC 9112, 7)."""
    sent = f"{POST}Transfer-Encoding: Chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
    assert answer(server, sent) == (400, "Field 'clientId' is required")
    assert lines(caplog) == []


@pytest.mark.parametrize("offer", ["websocket", "WebSocket", "h2c"])
def test_client_that_wants_a_websocket_learns_that_there_is_none(
    server: LiveServer, caplog: pytest.LogCaptureFixture, offer: str
) -> None:
    """In one line, without advice to install anything; other offers are declined silently."""
    sent = (
        f"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: {offer}"
    )
    assert answer(server, f"{sent}\r\n\r\n")[0] == 404
    said = [] if offer == "h2c" else ["GET /live: the sandbox has no WebSockets"]
    assert lines(caplog) == said


def test_connection_too_many_is_a_line(
    server: LiveServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its sender, and the reason of the answer."""
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 0)
    assert answer(server, "")[0] == 503
    (line,) = lines(caplog)
    assert line.endswith(" -> 503  Too many connections are open")


def test_target_that_is_no_url_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """The error of httptools would show it."""
    server = LiveServer(asgi_app(Sandbox().handle))
    try:
        status, message = answer(server, f"CONNECT {CANARY}:443 HTTP/1.1\r\n{LINES}\r\n")
    finally:
        server.stop()
    assert (status, message) == (400, "Request is not valid HTTP: the target is not a URL")
    assert CANARY not in "".join(lines(caplog))
