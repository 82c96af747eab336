"""Requests that are answered without ASGI get the same answers, and the same protection."""

import asyncio
import contextlib
import gc
import json
import re
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest
from doubles.waiting import eventually
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import JSON_HEADERS, Request, Response
from pytest_turris.doors.sockets import limits
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.buffered_transport import BufferedTransport
from pytest_turris.doors.sockets.loopback import loopback_only
from pytest_turris.doors.sockets.plain import PlainAnswers, is_plain, whole_answer
from pytest_turris.doors.sockets.server import LiveServer

MAX_SECONDS = 10
VARIABLE = re.compile(rb"dev-[0-9a-f-]{36}|\d{4}-\d\d-\d\dT[0-9:.]+Z|date: [^\r]+")
HOST = b"Host: 127.0.0.1\r\n"
BODY = b'{"clientId":"a","clientSecret":"b"}'
TOKEN = b"POST /v1/auth/jwt HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n"

Handle = Callable[[Request], Response]


@contextlib.contextmanager
def served(handle: Handle, *, plain: bool = True) -> Iterator[LiveServer]:
    """A guarded server, which answers plain requests without ASGI or not."""
    answers = PlainAnswers(handle) if plain else None
    live = LiveServer(loopback_only(asgi_app(handle)), plain=answers)
    yield live
    live.stop()


@contextlib.contextmanager
def connected(live: LiveServer) -> Iterator[socket.socket]:
    """A connection to the server."""
    with socket.create_connection(("127.0.0.1", live.port), timeout=MAX_SECONDS) as client:
        yield client


def answer(client: socket.socket, sent: bytes) -> bytes:
    """Send a request, and read one answer or up to the end."""
    client.sendall(sent)
    received = b""
    while data := client.recv(65_536):
        received += data
        head, end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if end and length and len(body) >= int(length[1]):
            break
    return received


REQUESTS = {
    "unknown path": b"GET /nowhere?a=1&a=2 HTTP/1.1\r\n" + HOST + b"\r\n",
    "without a token": b"GET /v1/agents HTTP/1.1\r\n" + HOST + b"\r\n",
    "with a bad token": b"GET /v1/agents HTTP/1.1\r\n" + HOST + b"Authorization: Bearer x\r\n\r\n",
    "keys": b"GET /.well-known/jwks.json HTTP/1.1\r\n" + HOST + b"\r\n",
    "an encoded path": b"GET /v1/%61gents HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute URL": b"GET http://127.0.0.1/v1/agents HTTP/1.1\r\n" + HOST + b"\r\n",
    "a port": b"GET /v1/agents HTTP/1.1\r\nHost: localhost:1\r\n\r\n",
    "a foreign host": b"GET /v1/agents HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "no host": b"GET /v1/agents HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /v1/agents HTTP/1.1\r\n" + HOST * 2 + b"\r\n",
    "a web page": b"GET /v1/agents HTTP/1.1\r\n" + HOST + b"Origin: http://evil.example\r\n\r\n",
    "a web page's image": b"GET /v1/agents HTTP/1.1\r\n"
    + HOST
    + b"Sec-Fetch-Site: cross-site\r\n\r\n",
    "the last one": b"GET /v1/agents HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "an old version": b"GET /v1/agents HTTP/1.0\r\n" + HOST + b"\r\n",
    "delete": b"DELETE /v1/webhooks/1 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a token request": TOKEN + LENGTH % len(BODY) + b"\r\n" + BODY,
    "no body": TOKEN + b"\r\n",
    "a long body": TOKEN + LENGTH % 200_000 + b"\r\n" + b" " * 200_000,
    "a chunked body": TOKEN + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "two lengths": TOKEN + LENGTH % 2 + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no number": TOKEN + b"Content-Length: x\r\n\r\n",
    "a path of the server": b"GET /__sandbox__/nowhere HTTP/1.1\r\n" + HOST + b"\r\n",
}


@pytest.mark.parametrize("sent", REQUESTS.values(), ids=REQUESTS)
def test_answer_is_the_same_as_by_asgi(sent: bytes) -> None:
    """Nothing shows which way a request took: neither the answer nor the journal."""
    seen = []
    for plain in (True, False):
        sandbox = Sandbox(Options(date_header=True))
        with served(sandbox.handle, plain=plain) as live, connected(live) as client:
            got = VARIABLE.sub(b"*", answer(client, sent))
        seen.append((got, [(one.target, one.status, one.request_body) for one in sandbox.journal]))
    assert seen[0] == seen[1]
    assert seen[0][0]


@pytest.mark.parametrize(
    ("method", "url"),
    [
        (b"HEAD", b"/v1/agents"),
        (b"OPTIONS", b"*"),
        (b"CONNECT", b"/"),
        (b"GET", b"/__sandbox__"),
        (b"GET", b"/__sandbox__/page/"),
        (b"GET", b"/%5f_sandbox__/page/"),
        (b"GET", b"http://localhost/"),
        (b"GET", b"/v1#x"),
        (b"GET", b"/\xff"),
    ],
)
def test_what_is_not_plain(method: bytes, url: bytes) -> None:
    """The guards and the server's own pages look at what could be for them."""
    assert is_plain(b"GET", b"/v1/agents?name=%20")
    assert not is_plain(method, url)


@pytest.mark.parametrize(
    "field",
    [
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        ("content-length", "1"),
        ("bad name", "x"),
        ("x", "a\r\nx-injected: 1"),
        ("x", "\u20ac"),
    ],
)
def test_unusual_answer_goes_by_asgi(field: tuple[str, str]) -> None:
    """Uvicorn refuses what would break the message, and follows what ends the connection."""
    assert whole_answer(Response(status=200, headers=JSON_HEADERS, body=b"{}"))
    assert whole_answer(Response(status=200, headers=(*JSON_HEADERS, field), body=b"{}")) is None
    assert whole_answer(Response(status=200, real_delay=0.1)) is None


def test_status_without_a_phrase() -> None:
    """RFC 9110 lets a server send any; the answer has an empty phrase, whichever way it took."""
    seen = []
    for plain in (True, False):
        sandbox = Sandbox()
        sandbox.faults.add("list_agents", status=599)
        with served(sandbox.handle, plain=plain) as live, connected(live) as client:
            seen.append(VARIABLE.sub(b"*", answer(client, REQUESTS["without a token"])))
    assert seen[0] == seen[1]
    assert seen[0].startswith(b"HTTP/1.1 599 \r\n")


class Recording(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.sent.append(bytes(data))


def test_answers_are_sent_in_their_order() -> None:
    """One that is whole goes behind what waits for the end of the iteration, and all at once."""
    transport = Recording()

    async def write() -> None:
        buffered = BufferedTransport(transport)
        buffered.write_whole(b"0")
        buffered.write(b"1")
        buffered.write(b"2")
        buffered.write_whole(b"3")
        assert transport.sent == [b"0"]
        await asyncio.sleep(0)

    asyncio.run(write())
    assert transport.sent == [b"0", b"123"]


def test_answers_of_one_iteration_are_sent_together() -> None:
    """While requests on other connections wait, an answer waits for theirs; the last one does not.

    So a client that has them all is woken once.
    """
    first, last = Recording(), Recording()
    seen: list[list[bytes]] = []

    def answered(transport: Recording) -> None:
        BufferedTransport(transport).write_whole(b"answer")
        seen.append([*first.sent, *last.sent])

    async def iterate() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(answered, first)
        loop.call_soon(answered, last)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(iterate())
    assert seen[0] == []
    assert (first.sent, last.sent) == ([b"answer"], [b"answer"])


_SEQUENCES = st.lists(
    st.tuples(
        st.sampled_from(
            ["keys", "without a token", "a token request", "an encoded path", "no body"]
        ),
        st.sampled_from([0, 0, 0, 3, -6]),
    ),
    min_size=2,
    max_size=8,
)


def test_any_sequence_of_requests_is_answered_as_by_asgi() -> None:
    """Whatever came before on the connection, in however many packets: repetitions, too."""
    sandboxes: list[Sandbox] = []

    def handle(request: Request) -> Response:
        return sandboxes[-1].handle(request)

    with served(handle) as plainly, served(handle, plain=False) as by_asgi:

        @given(_SEQUENCES)
        @example([("keys", 0), ("an encoded path", 0), ("an encoded path", 0)])
        @example([("a token request", 0), ("a token request", 0), ("keys", 0)])
        @example([("a token request", 0), ("a token request", -6), ("a token request", 0)])
        @settings(max_examples=20, deadline=None)
        def are_equal(parts: list[tuple[str, int]]) -> None:
            seen = []
            for live in (plainly, by_asgi):
                sandboxes.append(Sandbox())
                got = list(_answers(live, parts))
                journal = sandboxes[-1].journal
                seen.append((got, [(one.target, one.status, one.request_body) for one in journal]))
            assert seen[0] == seen[1]

        are_equal()


def _answers(live: LiveServer, parts: list[tuple[str, int]]) -> Iterator[bytes]:
    """The answers to requests on one connection, each sent in one packet or in two."""
    with connected(live) as client:
        for name, at in parts:
            sent = REQUESTS[name]
            if at:
                client.sendall(sent[:at])
                time.sleep(0.005)
                sent = sent[at:]
            yield VARIABLE.sub(b"*", answer(client, sent))


def test_repeated_request_meets_what_has_changed() -> None:
    """The same bytes again are another request: with a delay, a fault, or another answer."""
    sandbox = Sandbox()
    get = REQUESTS["keys"]
    with served(sandbox.handle) as live, connected(live) as client:
        for _ in range(2):
            assert answer(client, get).startswith(b"HTTP/1.1 200 ")
        client.sendall(REQUESTS["a token request"][:-3])
        time.sleep(0.02)
        assert answer(client, REQUESTS["a token request"][-3:]).startswith(b"HTTP/1.1 401 ")
        sandbox.faults.add("jwks", real_delay=0.05, times=1)
        began = time.perf_counter()
        assert answer(client, get).startswith(b"HTTP/1.1 200 ")
        assert time.perf_counter() - began >= 0.05
        sandbox.faults.add("jwks", status=503, times=1)
        assert answer(client, get).startswith(b"HTTP/1.1 503 ")
        assert answer(client, get).startswith(b"HTTP/1.1 200 ")
        sandbox.faults.add("jwks", error="reset", times=1)
        with contextlib.suppress(ConnectionResetError):
            client.sendall(get)
            assert client.recv(65_536) == b""
    assert [one.status for one in sandbox.journal] == [200, 200, 401, 200, 503, 200, 0]


def test_repeated_token_request_gets_another_token() -> None:
    """A body that comes again in the same packet is read again."""
    sandbox = Sandbox()
    client_id, secret = sandbox.client.client_id, sandbox.client.client_secret
    body = json.dumps({"clientId": client_id, "clientSecret": secret}).encode()
    sent = TOKEN + LENGTH % len(body) + b"\r\n" + body
    with served(sandbox.handle) as live, connected(live) as client:
        got = [json.loads(answer(client, sent).partition(b"\r\n\r\n")[2]) for _ in range(3)]
        wrong = sent.replace(client_id.encode(), b"x" * len(client_id))
        assert answer(client, wrong).startswith(b"HTTP/1.1 401 ")
    assert len({one["data"]["accessToken"] for one in got}) == 3
    assert [one.status for one in sandbox.journal] == [201, 201, 201, 401]


def test_end_of_a_head_is_taken_for_no_request() -> None:
    """What ends a head in a packet of its own is no request when it comes again."""
    sandbox, get = Sandbox(), REQUESTS["keys"]
    with served(sandbox.handle) as live, connected(live) as client:
        client.sendall(get[:4])
        time.sleep(0.02)
        assert answer(client, get[4:]).startswith(b"HTTP/1.1 200 ")
        assert b"Request is not valid HTTP" in answer(client, get[4:])
    assert len(sandbox.journal) == 1


def test_two_requests_in_a_packet_are_two_again() -> None:
    """A packet that is repeated has as many answers as before."""
    sandbox, get = Sandbox(), REQUESTS["keys"]
    with served(sandbox.handle) as live, connected(live) as client:
        for _ in range(3):
            client.sendall(get * 2)
            received = b""
            while received.count(b'"keys"') < 2:
                received += client.recv(65_536)
    assert len(sandbox.journal) == 6


def test_body_is_taken_for_no_request() -> None:
    """A body in a packet of its own, with the end of a head in it, is none when it comes again."""
    sandbox, body = Sandbox(), b"{}\r\n\r\n"
    with served(sandbox.handle) as live, connected(live) as client:
        client.sendall(TOKEN + LENGTH % len(body) + b"\r\n")
        time.sleep(0.02)
        assert answer(client, body).startswith(b"HTTP/1.1 400 ")
        assert b"Request is not valid HTTP" in answer(client, body)
    assert len(sandbox.journal) == 1


def test_fault_and_delay_leave_the_server_whole() -> None:
    """An answer that breaks off or has to wait takes the other way, and the next is plain again."""
    sandbox = Sandbox()
    sandbox.faults.add("list_agents", error="reset", times=1)
    sandbox.faults.add("list_agents", real_delay=0.05, times=1)
    get = REQUESTS["without a token"]
    with served(sandbox.handle) as live:
        with connected(live) as client, contextlib.suppress(ConnectionResetError):
            client.sendall(get)
            assert client.recv(65_536) == b""
        with connected(live) as client:
            began = time.perf_counter()
            assert answer(client, get).startswith(b"HTTP/1.1 401 ")
            assert time.perf_counter() - began >= 0.05
            assert answer(client, get).startswith(b"HTTP/1.1 401 ")
    assert [one.status for one in sandbox.journal] == [0, 401, 401]


def test_body_may_come_in_parts() -> None:
    """It is one request, answered when its last byte has come."""
    sandbox = Sandbox()
    sent = REQUESTS["a token request"]
    with served(sandbox.handle) as live, connected(live) as client:
        for part in (sent[:20], sent[20:-10], sent[-10:-3]):
            client.sendall(part)
            time.sleep(0.02)
        assert len(sandbox.journal) == 0
        assert answer(client, sent[-3:]).startswith(b"HTTP/1.1 401 ")
    assert sandbox.journal[0].request_body.startswith('{"clientId":"a"')


def test_requests_in_one_packet_take_turns() -> None:
    """Only the first of a packet is answered before other connections have their turn."""
    sandbox, get = Sandbox(), REQUESTS["without a token"]
    order: list[int] = []
    both_sent = threading.Event()

    def handle(request: Request) -> Response:
        order.append(request.client_port)
        both_sent.wait(MAX_SECONDS)
        return sandbox.handle(request)

    with served(handle) as live, connected(live) as many, connected(live) as other:
        many.sendall(get * 10)
        other.sendall(get)
        both_sent.set()
        assert answer(other, b"").startswith(b"HTTP/1.1 401 ")
        assert order.index(other.getsockname()[1]) < 10


def test_connection_in_use_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading for long means reading one request for long."""
    monkeypatch.setattr(limits, "READ_SECONDS", 1)
    with served(Sandbox().handle) as live, connected(live) as client:
        for _ in range(15):
            assert answer(client, REQUESTS["keys"]).startswith(b"HTTP/1.1 200 ")
            client.sendall(b"GET ")
            time.sleep(0.1)
            answered = answer(client, REQUESTS["keys"][4:])
            assert answered.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("sent", [b"GET ", TOKEN + LENGTH % len(BODY) + b"\r\n" + BODY[:5]])
def test_request_that_stops_is_dropped(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind an answered request, too."""
    monkeypatch.setattr(limits, "READ_SECONDS", 0.1)
    with served(Sandbox().handle) as live, connected(live) as client:
        assert answer(client, REQUESTS["keys"]).startswith(b"HTTP/1.1 200 ")
        client.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(65_536) == b""


def test_connection_that_is_used_after_a_delay_is_kept() -> None:
    """An answer that had to wait begins no time of idleness for the plain ones behind it."""
    sandbox, get = Sandbox(), REQUESTS["keys"]
    with served(sandbox.handle) as live:
        live._server.config.timeout_keep_alive = 2
        with connected(live) as client:
            assert answer(client, get).startswith(b"HTTP/1.1 200 ")
            sandbox.faults.add("jwks", real_delay=0.05, times=1)
            for _ in range(5):
                assert answer(client, get).startswith(b"HTTP/1.1 200 ")
                time.sleep(0.5)


def test_idle_connection_is_closed() -> None:
    """Some time after the last answer, not after the first, whichever way they took."""
    by_asgi = REQUESTS["an encoded path"]
    with served(Sandbox().handle) as live:
        live._server.config.timeout_keep_alive = 1
        with connected(live) as client:
            for sent in (REQUESTS["keys"], by_asgi, REQUESTS["keys"], REQUESTS["keys"], by_asgi):
                assert answer(client, sent).startswith(b"HTTP/1.1 ")
                time.sleep(0.4)
            assert client.recv(1) == b""


def test_head_of_many_lines_is_not_kept() -> None:
    """Thousands of short lines take a megabyte as objects: the cache does not have them."""
    plain = PlainAnswers(Sandbox().handle)
    lines = ((b"host", b"127.0.0.1"), *((b"x-%d" % n, b"1") for n in range(4_500)))
    few = lines[:10]
    assert plain.head(few) is plain.head(few)
    assert plain.head(lines) == plain.head(lines)
    assert plain.head(lines) is not plain.head(lines)


def test_connection_forgets_a_head_of_many_lines() -> None:
    """An open connection keeps no request with thousands of lines once it is answered."""
    requests: list[weakref.ref[Request]] = []

    def handle(request: Request) -> Response:
        requests.append(weakref.ref(request))
        return Response(status=204)

    many = b"".join(b"x-%d: 1\r\n" % n for n in range(4_500))
    with served(handle) as live, connected(live) as client:
        for lines in (b"", many):
            sent = b"GET /v1/agents HTTP/1.1\r\n" + HOST + lines + b"\r\n"
            assert answer(client, sent).startswith(b"HTTP/1.1 204")
        eventually(lambda: gc.collect() >= 0 and requests[-1]() is None)
