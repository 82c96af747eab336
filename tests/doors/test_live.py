"""The live door with requests that no client library sends, and under users' clocks."""

import asyncio
import contextlib
import datetime as dt
import errno
import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pkgutil import resolve_name
from typing import NoReturn

import freezegun
import pytest
import time_machine
from doubles.waiting import eventually
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.http1 import _HttptoolsProtocol, protocol
from pytest_turris.doors.sockets.http1_h11 import _UpgradableProtocol
from pytest_turris.doors.sockets.loopback import loopback_only
from pytest_turris.doors.sockets.plain import PlainAnswers
from pytest_turris.doors.sockets.pool import Server, ServerPool
from pytest_turris.doors.sockets.server import _MORE_FILES, LiveServer, ServerError, _ServerLoop

MAX_SECONDS = 5

WAYS: dict[str, Callable[[PlainAnswers | None], Callable[..., asyncio.Protocol]]] = {
    "httptools": protocol,
    "httptools, all by ASGI": lambda _: protocol(None),
    "h11": lambda _: _UpgradableProtocol,
}
"""The ways of a request through a server."""


@pytest.fixture(scope="module", params=WAYS)
def pool(request: pytest.FixtureRequest) -> Iterator[ServerPool]:
    """Servers with either parser, of which a user has the one that is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pytest_turris.doors.sockets.server.protocol", WAYS[request.param])
        pool = ServerPool()
        yield pool
        pool.stop()


@pytest.fixture
def server(pool: ServerPool) -> Iterator[Server]:
    """A sandbox on a plain server."""
    with pool.serve(Sandbox()) as server:
        yield server


def port_of(server: Server | LiveServer) -> int:
    """The port that it listens on."""
    return int(server.base_url.rpartition(":")[2])


def exchange(server: Server, sent: bytes) -> bytes:
    """Send raw bytes, end our side, and read until the server closes."""
    address = ("127.0.0.1", port_of(server))
    with socket.create_connection(address, timeout=MAX_SECONDS) as plain:
        try:
            plain.sendall(sent)
            with contextlib.suppress(OSError):  # the server has reset it already
                plain.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: plain.recv(65_536), b""))
        except (ConnectionResetError, BrokenPipeError):
            return b""


def request(
    server: Server | LiveServer, method: str = "GET", **headers: str
) -> tuple[int, dict[str, object]]:
    """A well-formed request with further headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=MAX_SECONDS)
    try:
        connection.request(method, "/.well-known/jwks.json", headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    finally:
        connection.close()


def post(body: bytes, *headers: str) -> bytes:
    """A raw POST request to the token endpoint."""
    lines = ["POST /v1/auth/jwt HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


NOT_HTTP = {
    "duplicate Host": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: localhost\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "garbage request line": b"\x16\x03\x01 hello there\r\n\r\n",
    "no request line": b"\r\n\r\n\r\nHost: 127.0.0.1\r\n\r\n",
    "obs-fold in the first header": b"GET / HTTP/1.1\r\n folded\r\nHost: 127.0.0.1\r\n\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: a\0b\r\n\r\n",
    "NUL in the target": b"GET /\0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "space before the colon": b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
    "conflicting Content-Length": post(b"{}", "Content-Length: 2", "Content-Length: 3"),
    "negative Content-Length": post(b"{}", "Content-Length: -2"),
    "unknown Transfer-Encoding": post(b"0\r\n\r\n", "Transfer-Encoding: gzip, chunked"),
    "chunk size that is none": post(b"xyz\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
}


@pytest.mark.parametrize("sent", NOT_HTTP.values(), ids=NOT_HTTP.keys())
def test_what_is_not_http_is_refused_or_gets_no_answer(server: Server, sent: bytes) -> None:
    """Broken HTTP gets a Turris-shaped refusal or a closed connection; no sandbox sees it."""
    answer = exchange(server, sent)
    if answer:
        head, _, body = answer.partition(b"\r\n\r\n")
        status = json.loads(body)["statusCode"]
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert status in (400, 501)
    assert len(server.sandbox.journal) == 0
    assert request(server)[0] == 200


def test_quick_protocol_is_that_of_httptools() -> None:
    """With the extra ``server`` both parsers are tested."""
    assert issubclass(_HttptoolsProtocol, HttpToolsProtocol)


def test_white_space_around_a_value_is_left_out(server: Server) -> None:
    """Of any line, for all that read it; white space within a value stays (RFC 9112, 5.1)."""
    answer = exchange(
        server,
        b"GET /v1/agents HTTP/1.1\r\nHost: \t127.0.0.1 \t\r\nX-A:\ta \tb\t \r\nX-B: \t\r\n"
        b"Connection: close \r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 401 ")
    (seen,) = server.sandbox.journal
    assert [seen.request_headers[name] for name in ("host", "x-a", "x-b")] == [
        "127.0.0.1",
        "a \tb",
        "",
    ]


def test_a_trailer_is_no_header(server: Server) -> None:
    """A credential behind the body is not one, however soon it comes (RFC 9110, 6.5.1)."""
    token = server.sandbox.tokens.issue(server.sandbox.client).text
    answer = exchange(
        server,
        b"POST /v1/agents HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n0\r\nAuthorization: Bearer " + token.encode() + b"\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 401 ")
    (seen,) = server.sandbox.journal
    assert "authorization" not in seen.request_headers


def to_target(target: str, host: str) -> bytes:
    """A request with this target and this Host."""
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/.well-known/jwks.json",
        "HTTPS://evil.example:80/.well-known/jwks.json",
        "http://127.0.0.1@evil.example/.well-known/jwks.json",
        "http://evil.example@127.0.0.1/.well-known/jwks.json",
        "http://evil.example",
        "http://evil.example?a=http://127.0.0.1/",
    ],
)
def test_foreign_host_of_a_target_is_misdirected(server: Server, target: str) -> None:
    """The host that a target names counts, and not that of Host (RFC 9112, 3.2.2)."""
    assert exchange(server, to_target(target, "127.0.0.1")).startswith(b"HTTP/1.1 421 ")
    assert len(server.sandbox.journal) == 0


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        ("http://127.0.0.1/v1/agents?name=a%20b", "/v1/agents?name=a%20b"),
        ("http://LocalHost:8791/v1/%61gents", "/v1/%61gents"),
        ("http://[::1]/v1/agents?a=http://b/", "/v1/agents?a=http://b/"),
        ("http://127.0.0.1", "/"),
        ("http://127.0.0.1?name=a", "/?name=a"),
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example", ""])
def test_own_host_of_a_target_is_served(server: Server, target: str, seen: str, host: str) -> None:
    """As with a path alone and that host, whatever Host says."""
    answer = exchange(server, to_target(target, host))
    plain = exchange(server, to_target(seen, "127.0.0.1"))
    assert answer.split(b"\r\n")[0] == plain.split(b"\r\n")[0]
    assert [one.target for one in server.sandbox.journal] == [seen, seen]


@pytest.mark.parametrize("method", [b"FOO", b"get"])
def test_method_that_no_standard_has_is_refused(server: Server, method: bytes) -> None:
    """One parser refuses it as HTTP, the other finds no operation; both say so as JSON."""
    answer = exchange(server, method + b" /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    recorded = [seen.status for seen in server.sandbox.journal]
    status, expected = json.loads(body)["statusCode"], {400: [], 404: [404]}
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert recorded == expected[status]


def test_offer_to_upgrade_is_declined(server: Server) -> None:
    """Java's client offers HTTP/2 with each request; all are answered, bodies are read."""
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    body = b'{"clientId":"a","clientSecret":"b"}'
    length = f"Content-Length: {len(body)}"
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=MAX_SECONDS) as client:
        for fields in ((length,), (length, *offer), (*offer, length)):
            client.sendall(post(body, *fields))
            assert client.recv(65_536).startswith(b"HTTP/1.1 401 ")
    assert [seen.reason for seen in server.sandbox.journal] == [
        "unknown clientId: this sandbox did not issue it"
    ] * 3


def test_offer_may_come_in_two_packets(server: Server) -> None:
    """Wherever the head is cut in two, the body after it is read."""
    body = b'{"clientId":"a","clientSecret":"b"}'
    sent = post(body, "Connection: Upgrade", "Upgrade: h2c", f"Content-Length: {len(body)}")
    offer = sent.index(b"Upgrade: h2c")
    # Ten tokens may be asked for in a minute.
    cuts = [1, *(offer + here for here in (-1, 0, 1, 6, 7, 8, 9)), sent.index(body) - 1]
    for cut in cuts:
        address = ("127.0.0.1", port_of(server))
        with socket.create_connection(address, timeout=MAX_SECONDS) as client:
            assert b" 401 " in _sent_in_two(client, sent, cut), f"cut at {sent[:cut]!r}"


def _sent_in_two(client: socket.socket, sent: bytes, cut: int) -> bytes:
    client.sendall(sent[:cut])
    time.sleep(0.01)
    client.sendall(sent[cut:])
    return client.recv(65_536)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
    ids=["header", "request line"],
)
def test_huge_head_is_refused(server: Server, sent: bytes) -> None:
    """A head of 100 KB gets a Turris-shaped 4xx or a closed connection, and is not kept whole."""
    if answer := exchange(server, sent):
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ", b"HTTP/1.1 431 "))
        assert json.loads(body)["errorMessage"]
    assert all(len(repr(seen)) < 10_000 for seen in server.sandbox.journal)
    assert request(server)[0] == 200


def test_smuggled_request_is_not_seen(server: Server) -> None:
    """A request with Transfer-Encoding and Content-Length is refused, with all that follows."""
    body = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    answer = exchange(
        server, post(body, f"Content-Length: {len(body)}", "Transfer-Encoding: chunked")
    )
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert len(server.sandbox.journal) == 0


@pytest.mark.parametrize(
    "sent",
    [
        post(b'{"clientId": ', "Content-Length: 100"),
        post(b"", "Content-Length: 100"),
        post(b'd\r\n{"clientId": ', "Transfer-Encoding: chunked"),
        post(b'd\r\n{"clientId": \r\n', "Transfer-Encoding: chunked"),
        b"GET /v1/agents HTTP/1.1\r\nHost: 127",
    ],
)
def test_request_that_breaks_off_never_happened(server: Server, sent: bytes) -> None:
    """A client that goes away in the middle of its request leaves no trace."""
    exchange(server, sent)
    assert request(server)[0] == 200
    assert [seen.path for seen in server.sandbox.journal] == ["/.well-known/jwks.json"]


def test_answer_is_written_at_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Head and body go out together, so that a client wakes up once."""
    name = "asyncio.selector_events._SelectorSocketTransport"
    write, written = resolve_name(f"{name}.write"), []

    def recorded(transport: object, data: bytes) -> None:
        written.append(bytes(data))
        write(transport, data)

    monkeypatch.setattr(f"{name}.write", recorded)
    assert request(server)[0] == 200
    [answer] = written
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["keys"]


def test_client_that_ends_its_side_is_answered(server: Server) -> None:
    """A client that half-closes its connection still gets its answer."""
    answer = exchange(server, b"GET /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("number", [2, 20])
def test_requests_in_one_packet_are_answered_in_order(server: Server, number: int) -> None:
    """A client may send its next requests before it has read an answer (RFC 9112, 9.3.2)."""
    one = b"GET /%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=MAX_SECONDS) as client:
        client.sendall(b"".join(one % each for each in range(number)))
        received = b""
        while received.count(b"HTTP/1.1 404") < number:
            received += client.recv(65_536)
    assert [seen.path for seen in server.sandbox.journal] == [f"/{n}" for n in range(number)]


def test_address_is_that_of_the_socket(server: Server) -> None:
    """A client cannot pass an allowlist of addresses with a proxy's headers."""
    token = server.sandbox.credentials.issue_restricted(allowed=["10.0.0.0/8"])
    connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=MAX_SECONDS)
    headers = {"x-restricted-access-token": token.token, "X-Forwarded-For": "10.0.0.1"}
    connection.request("GET", "/v1/agents", headers=headers)
    answer = connection.getresponse()
    assert (answer.status, b"127.0.0.1" in answer.read()) == (403, True)
    connection.close()


def test_slow_client_does_not_hold_up_others(server: Server) -> None:
    """While one client sends its body slowly, others are answered."""
    body = json.dumps({"clientId": "a", "clientSecret": "b"}).encode()
    head = post(b"", f"Content-Length: {len(body)}")
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=MAX_SECONDS) as slow:
        slow.sendall(head + body[:10])
        assert request(server)[0] == 200
        slow.sendall(body[10:])
        assert slow.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_repeated_and_folded_headers_are_harmless(server: Server) -> None:
    """A folded header is joined or refused, never a header of its own."""
    sent = (
        b"GET /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: a\r\n Authorization: Bearer x\r\n\r\n"
    )
    assert b" 401 " in exchange(server, sent) or b" 400 " in exchange(server, sent)
    assert all("authorization" not in seen.request_headers for seen in server.sandbox.journal)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "127.0.0.1@evil",
        "evillocalhost", "localhost.evil.example", "evil.localhost.example", "evil127.0.0.1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_foreign_host_is_misdirected(server: Server, host: str, method: str) -> None:
    """A name that was re-bound to loopback is refused with 421."""
    status, document = request(server, method, Host=host)
    assert status == 421
    assert method == "HEAD" or document["errorType"] == "forbidden"
    assert len(server.sandbox.journal) == 0


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "[::1]:80", "127.0.0.1"])
def test_loopback_names_are_ours(server: Server, host: str) -> None:
    """This machine's names are answered."""
    assert request(server, Host=host)[0] == 200


def test_turris_name_is_ours_and_wants_https(server: Server) -> None:
    """A Turris name that points to loopback is answered as Turris would: HTTPS only."""
    status, document = request(server, Host="public.api.sandbox.turrisfi.com")
    assert (status, document["errorMessage"]) == (403, ["HTTPS is required"])


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_web_page_is_refused(server: Server, origin: str) -> None:
    """A page of another origin gets a 403."""
    status, document = request(server, Origin=origin)
    assert (status, document["errorType"]) == (403, "forbidden")
    assert len(server.sandbox.journal) == 0


def test_own_origin_is_answered(server: Server) -> None:
    """A page that this server served may ask it."""
    assert request(server, Origin=server.base_url)[0] == 200


def test_only_loopback_is_bound(pool: ServerPool, server: Server) -> None:
    """The socket listens on 127.0.0.1 and on no other address of the machine."""
    assert server.base_url.startswith("http://127.0.0.1:")
    live = LiveServer(asgi_app(Sandbox().handle))
    try:
        assert live._sockets[0].getsockname()[0] == "127.0.0.1"
        with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
            socket.create_connection(("127.0.0.2", live.port), timeout=1)
    finally:
        live.stop()


def test_certificate_is_trusted_by_its_own_context_alone(pool: ServerPool) -> None:
    """Only ``client_context`` trusts the server's certificate."""
    with pool.serve(Sandbox(Options(tls=True))) as secure:
        url = f"{secure.base_url}/.well-known/jwks.json"
        context = secure.client_context()
        assert len(context.get_ca_certs()) == 1
        with urllib.request.urlopen(url, context=context) as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(url)


def test_plain_server_has_no_certificate(server: Server) -> None:
    """Asking a plain server for an SSL context says what to do instead."""
    with pytest.raises(RuntimeError, match="tls=True"):
        server.client_context()


def test_taken_port_is_an_error() -> None:
    """A port that is taken is an OSError, and no thread is left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        threads = threading.active_count()
        with pytest.raises(OSError, match="in use"):
            LiveServer(asgi_app(Sandbox().handle), port=taken.getsockname()[1])
    assert threading.active_count() == threads


MOMENT = dt.datetime(2031, 1, 1, tzinfo=dt.UTC)
CLOCKS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "plain freeze_time": lambda: freezegun.freeze_time(MOMENT),
    "freeze_time with real_asyncio": lambda: freezegun.freeze_time(MOMENT, real_asyncio=True),
    "freeze_time in the past": lambda: freezegun.freeze_time("1999-01-01"),
    "time-machine": lambda: time_machine.travel(MOMENT, tick=False),
}


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("stopped", ["inside", "after"])
def test_server_stops_under_any_clock(clock: str, stopped: str) -> None:
    """Under any engine's stopped time the server answers by that time, and stops.

    ``stop`` raises an error if that takes longer than five seconds.
    """
    sandbox = Sandbox()
    live = LiveServer(loopback_only(asgi_app(sandbox.handle)))
    with ExitStack() as stack:
        stack.enter_context(CLOCKS[clock]())
        assert request(live)[0] == 200
        if stopped == "inside":
            live.stop()
    live.stop()
    assert sandbox.journal[-1].at.year == (1999 if "past" in clock else 2031)


def test_server_started_under_a_freeze_stops_after_it() -> None:
    """A server that started in frozen time does not need it to stop."""
    with freezegun.freeze_time(MOMENT) as frozen:
        live = LiveServer(asgi_app(Sandbox().handle))
        assert request(live)[0] == 200
        frozen.tick(dt.timedelta(days=1))
        assert request(live)[0] == 200
    live.stop()


def test_stop_closes_idle_connections() -> None:
    """A client that keeps its connection open does not keep the server alive."""
    live = LiveServer(asgi_app(Sandbox().handle))
    with socket.create_connection(("127.0.0.1", live.port), timeout=MAX_SECONDS) as idle:
        live.stop()  # an error if it takes longer than five seconds
        with contextlib.suppress(ConnectionResetError):
            assert idle.recv(1) == b""


def test_lost_connection_is_not_aborted() -> None:
    """One that was closed before all was sent, and has sent it, has no event loop any more."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    theirs.setblocking(False)
    loop = _ServerLoop()

    async def lose() -> asyncio.Transport:
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        transport.write(bytes(1_000_000))
        transport.close()
        while await loop.sock_recv(theirs, 65_536):
            pass
        return transport

    held = loop.run_until_complete(lose())
    loop.abort_connections()
    assert held.get_protocol() is None
    loop.close()
    theirs.close()


@pytest.mark.parametrize("ended_by", ["the client", "the server"])
def test_answer_that_waits_ends_early(ended_by: str, caplog: pytest.LogCaptureFixture) -> None:
    """A slow answer holds up no server that stops, and is forgotten with its client."""
    sandbox = Sandbox()
    sandbox.faults.add("jwks", real_delay=300)
    live = LiveServer(asgi_app(sandbox.handle))
    with socket.create_connection(("127.0.0.1", live.port), timeout=MAX_SECONDS) as client:
        client.sendall(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        eventually(lambda: len(sandbox.journal) == 1)
        if ended_by == "the client":
            client.close()
            eventually(lambda: not live._server.server_state.tasks)
        live.stop()
        if ended_by == "the server":
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""
    assert caplog.messages == []


def test_server_that_does_not_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that does not end in time is an error with the server's address."""
    server = LiveServer(asgi_app(Sandbox().handle))
    server.stop()
    stuck = threading.Thread(target=server.wait)
    monkeypatch.setattr(stuck, "join", lambda _: None)
    monkeypatch.setattr(stuck, "is_alive", lambda: True)
    monkeypatch.setattr(server, "_thread", stuck)
    with pytest.raises(ServerError, match=rf"{server.base_url} did not stop"):
        server.stop()


def test_waiting_ends_with_the_server() -> None:
    """``wait`` blocks until the server has stopped."""
    server = LiveServer(asgi_app(Sandbox().handle))
    waiting = threading.Thread(target=server.wait)
    waiting.start()
    server.stop()
    waiting.join(MAX_SECONDS)
    assert not waiting.is_alive()


def test_no_file_left_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For each connection that cannot be accepted, asyncio has up to 128 reports a second."""
    lines: list[str] = []
    tried = threading.Semaphore(0)

    def accept(_listening: socket.socket) -> NoReturn:
        tried.release()
        raise OSError(errno.EMFILE, "Too many open files")

    live = LiveServer(asgi_app(Sandbox().handle), on_refusal=lines.append)
    try:
        with monkeypatch.context() as patch:
            patch.setattr("socket.socket.accept", accept)
            client = socket.create_connection(("127.0.0.1", live.port), timeout=MAX_SECONDS)
            assert all(tried.acquire(timeout=MAX_SECONDS) for _ in range(3))
        with client:
            client.sendall(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 200"
    finally:
        live.stop()
    assert lines == [f"new connections wait: Too many open files; {_MORE_FILES}"]


def test_other_errors_are_reported_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    """Only those of full tables of files have a line of their own."""
    loop = _ServerLoop()
    loop.report = pytest.fail
    loop.call_exception_handler({"message": "a bug", "exception": OSError("other")})
    loop.close()
    assert "a bug" in caplog.text
