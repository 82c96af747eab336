"""What a client can cost a server: bytes of a head, time, connections."""

import contextlib
import errno
import gc
import json
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets import limits
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.http1 import _HttptoolsProtocol
from pytest_turris.doors.sockets.http1_h11 import _UpgradableProtocol
from pytest_turris.doors.sockets.plain import PlainAnswers
from pytest_turris.doors.sockets.server import LiveServer, _Server

HEAD = b"GET /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHUNKED = b"POST /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = HEAD + b"\r\n"
TOO_MUCH = 300_000
MAX_SECONDS = 10


@pytest.fixture
def sandbox() -> Sandbox:
    """The sandbox behind the server."""
    return Sandbox()


@pytest.fixture(params=["httptools", "httptools, all by ASGI", "h11"])
def server(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> Iterator[LiveServer]:
    """A server with either parser."""
    assert issubclass(_HttptoolsProtocol, HttpToolsProtocol)
    if request.param == "h11":
        made = "pytest_turris.doors.sockets.server.protocol"
        monkeypatch.setattr(made, lambda _: _UpgradableProtocol)
    plain = PlainAnswers(sandbox.handle) if request.param == "httptools" else None
    live = LiveServer(asgi_app(sandbox.handle), plain=plain)
    yield live
    live.stop()


@contextlib.contextmanager
def connected(server: LiveServer) -> Iterator[socket.socket]:
    """A connection to the server."""
    with socket.create_connection((server.host, server.port), timeout=MAX_SECONDS) as sock:
        yield sock


def answer_to(sock: socket.socket) -> bytes:
    """What the server sends until it closes; nothing if it resets the connection."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while data := sock.recv(65_536):
            received += data
    return received


def send_slowly(sock: socket.socket, data: bytes, *, times: int) -> None:
    """Send the same bytes in packets of their own, until the server closes."""
    with contextlib.suppress(OSError):
        for _ in range(times):
            sock.sendall(data)
            time.sleep(0.0005)


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (HEAD + b"X-Long: ", b"a" * 10_000),
        (HEAD, b"".join(b"X-%d: %s\r\n" % (n, b"a" * 100) for n in range(90))),
        (b"GET /", b"a" * 10_000),
        (WHOLE + HEAD + b"X-Long: ", b"a" * 10_000),
        (CHUNKED + b"1;", b"a" * 10_000),
        (CHUNKED + b"0\r\nX-Long: ", b"a" * 10_000),
        (CHUNKED + b"0\r\n", b"".join(b"X-%d: %s\r\n" % (n, b"a" * 100) for n in range(90))),
    ],
    ids=["value", "headers", "path", "pipelined", "chunk extension", "trailer", "trailers"],
)
def test_a_head_that_never_ends_is_dropped(
    server: LiveServer, sandbox: Sandbox, begin: bytes, more: bytes
) -> None:
    """After 64 KiB, whichever part of a request it is; no sandbox sees it."""
    with connected(server) as sock:
        sock.sendall(begin)
        send_slowly(sock, more, times=TOO_MUCH // len(more))
        answer = answer_to(sock)
    assert answer.count(b"HTTP/1.1 4") == answer.count(b"HTTP/1.1 ")
    assert len(sandbox.journal) == (1 if begin.startswith(WHOLE) else 0)


def test_a_head_that_is_too_large_is_a_431(server: LiveServer) -> None:
    """The words name the bound. h11 takes a head that comes in one packet."""
    with connected(server) as sock:
        sock.sendall(HEAD + b"Connection: close\r\nX-Long: " + b"a" * limits.MAX_HEAD + b"\r\n\r\n")
        answer = answer_to(sock)
    if answer.startswith(b"HTTP/1.1 431 "):
        body = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert body["errorMessage"] == ["Request headers exceed 65536 bytes"]
    else:
        assert answer.startswith(b"HTTP/1.1 40")


def test_a_large_body_is_not_a_head(server: LiveServer) -> None:
    """In many packets, with a length and in chunks."""
    body = b"a" * TOO_MUCH
    length = f"Content-Length: {len(body)}\r\n".encode()
    for request in (
        HEAD.replace(b"GET", b"POST") + length + b"Connection: close\r\n\r\n" + body,
        CHUNKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
    ):
        with connected(server) as sock:
            for begin in range(0, len(request), 10_000):
                sock.sendall(request[begin : begin + 10_000])
            assert answer_to(sock).startswith(b"HTTP/1.1 401 ")


def test_a_head_in_many_packets_is_counted_once(server: LiveServer) -> None:
    """Whether its lines end with a packet or go on in the next."""
    lines = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1_000) for n in range(55))
    request = HEAD + b"Connection: close\r\n" + lines + b"\r\n"
    with connected(server) as sock:
        for begin in range(0, len(request), 5_000):
            sock.sendall(request[begin : begin + 5_000])
            time.sleep(0.001)  # so that they arrive apart
        assert answer_to(sock).startswith(b"HTTP/1.1 401 ")


_WITHOUT_HTTPTOOLS = """
import sys

sys.modules["httptools"] = None

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.plain import PlainAnswers
from pytest_turris.doors.sockets.server import LiveServer

sandbox = Sandbox()
server = LiveServer(asgi_app(sandbox.handle), plain=PlainAnswers(sandbox.handle))
print(server.port, flush=True)
sys.stdin.read()
server.stop()
"""


def test_a_large_body_is_no_head_without_httptools() -> None:
    """Which only the extra ``server`` brings: then h11 parses, and counts by itself."""
    body = b"a" * TOO_MUCH
    length = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    command = [sys.executable, "-c", _WITHOUT_HTTPTOOLS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        address = ("127.0.0.1", int(child.stdout.readline()))
        with socket.create_connection(address, timeout=MAX_SECONDS) as sock:
            sock.sendall(HEAD.replace(b"GET", b"POST") + length + body)
            assert answer_to(sock).startswith(b"HTTP/1.1 401 ")
        child.communicate(timeout=MAX_SECONDS)


@pytest.mark.parametrize(
    "begin",
    [b"", HEAD, WHOLE + HEAD, HEAD.replace(b"GET", b"POST") + b"Content-Length: 9\r\n\r\n{"],
    ids=["nothing", "head", "second head", "body"],
)
def test_a_request_that_does_not_arrive_is_dropped(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    """After a deadline, although a byte comes now and then."""
    monkeypatch.setattr(limits, "READ_SECONDS", 0.05)
    with connected(server) as sock:
        sock.sendall(begin)
        ended = False
        for _ in range(500):
            time.sleep(0.01)
            try:
                sock.sendall(b"" if begin == b"" else b"a")
                sock.settimeout(0.001)
                ended = sock.recv(65_536) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                ended = True
            if ended:
                break
    assert ended


@pytest.mark.parametrize("begin", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["nothing", "part"])
def test_a_tls_handshake_that_does_not_arrive_is_dropped(
    monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    """After the same deadline; such a connection has no protocol that could count it yet."""
    monkeypatch.setattr(limits, "READ_SECONDS", 0.05)
    live = LiveServer(asgi_app(Sandbox().handle), tls=True)
    try:
        with connected(live) as sock:
            sock.sendall(begin)
            assert answer_to(sock) == b""
    finally:
        live.stop()


def test_further_connections_are_refused(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a 503 in Turris' form, and served again when others have ended."""
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 1)
    with connected(server) as first:
        first.sendall(WHOLE)
        assert first.recv(65_536).startswith(b"HTTP/1.1 401 ")
        with connected(server) as second:
            head, _, body = answer_to(second).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert json.loads(body)["statusCode"] == 503
        first.sendall(WHOLE)
        assert first.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_an_upgrade_behind_a_pipelined_request_is_not_parsed_in_part(
    server: LiveServer, sandbox: Sandbox
) -> None:
    """The value of a header is never run as a request."""
    with connected(server) as sock:
        sock.sendall(WHOLE + HEAD + b"X-A: ")
        assert sock.recv(65_536).startswith(b"HTTP/1.1 401 ")
        sock.sendall(b"b\r\nUpgrade: h2c\r\nX-B: GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        answer_to(sock)
    assert all(exchange.path == "/v1/agents" for exchange in sandbox.journal)


def test_both_loopback_addresses_are_bound() -> None:
    """With the same port, where the machine has both."""
    live = LiveServer(asgi_app(Sandbox().handle), also=("::1", "192.0.2.1"))
    try:
        for sock in live._sockets:
            with socket.create_connection(sock.getsockname()[:2], timeout=MAX_SECONDS):
                pass
        assert {sock.getsockname()[1] for sock in live._sockets} == {live.port}
    finally:
        live.stop()


class OtherAddress:
    """Lets the second loopback address fail for some time, and counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, code: int, failures: int) -> None:
        self.left = failures
        self._code = code
        self._create = socket.create_server
        monkeypatch.setattr(socket, "create_server", self._created)

    def _created(self, address: tuple[str, int], *, family: socket.AddressFamily) -> socket.socket:
        if family != socket.AF_INET6:
            return self._create(address, family=family)
        if self.left:
            self.left -= 1
            raise OSError(self._code, "it failed")
        return self._create(("127.0.0.1", 0))


@pytest.mark.parametrize("code", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPERM])
def test_a_machine_without_a_second_loopback_address_is_served(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """With the first alone, as in many containers."""
    OtherAddress(monkeypatch, code, failures=1)
    live = LiveServer(asgi_app(Sandbox().handle), also=("::1",))
    try:
        assert len(live._sockets) == 1
        with connected(live):
            pass
    finally:
        live.stop()


def test_a_free_port_is_free_at_each_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that another process has at the second address is not taken."""
    other = OtherAddress(monkeypatch, errno.EADDRINUSE, failures=3)
    live = LiveServer(asgi_app(Sandbox().handle), also=("::1",))
    live.stop()
    assert len(live._sockets) == 2
    assert other.left == 0


@pytest.mark.parametrize("code", [errno.EADDRINUSE, errno.EACCES])
@pytest.mark.parametrize("is_any", [True, False])
def test_a_port_that_is_taken_at_the_other_address_is_an_error(
    monkeypatch: pytest.MonkeyPatch, code: int, is_any: bool
) -> None:
    """And nothing is left open at the first."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = 0 if is_any else free.getsockname()[1]
    OtherAddress(monkeypatch, code, failures=1_000)
    with pytest.raises(OSError, match="it failed"):
        LiveServer(asgi_app(Sandbox().handle), port=port, also=("::1",))
    if port:
        socket.create_server(("127.0.0.1", port), family=socket.AF_INET).close()


def test_a_connection_that_was_just_accepted_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a stop that comes before the second address is served; no socket is left to the GC."""
    may_start = threading.Event()
    startup = _Server.startup

    async def late(server: _Server, sockets: list[socket.socket] | None = None) -> None:
        may_start.wait(MAX_SECONDS)
        await startup(server, sockets)

    monkeypatch.setattr(_Server, "startup", late)
    live = LiveServer(asgi_app(Sandbox().handle), also=("::1",))
    with connected(live) as sock, warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always")
        live.begin_stop()
        may_start.set()
        assert answer_to(sock) == b""
        live.stop()
        gc.collect()
    assert not [str(warning.message) for warning in left]


@pytest.mark.parametrize("server", ["httptools", "httptools, all by ASGI"], indirect=True)
def test_empty_lines_keep_no_connection_open(server: LiveServer) -> None:
    """After its answer, a connection that sends nothing else is closed as an idle one."""
    server._server.config.timeout_keep_alive = 0.2  # type: ignore[assignment]
    with connected(server) as sock:
        sock.sendall(WHOLE.replace(b"\r\n\r\n", b"\r\nSec-Fetch-Site: none\r\n\r\n"))
        assert sock.recv(65_536).startswith(b"HTTP/1.1 401 ")
        with contextlib.suppress(OSError):  # it may be closed by now
            sock.sendall(b"\r\n")
        assert answer_to(sock) == b""


@pytest.mark.parametrize("server", ["httptools", "httptools, all by ASGI"], indirect=True)
def test_an_empty_line_between_requests_is_no_part_of_them(server: LiveServer) -> None:
    """It may come in a packet of its own, and the end of a head is one too."""
    with connected(server) as sock:
        sock.sendall(b"\r\n")
        sock.sendall(WHOLE + HEAD)
        assert sock.recv(65_536).startswith(b"HTTP/1.1 401 ")
        sock.sendall(b"\r\n")
        assert sock.recv(65_536).startswith(b"HTTP/1.1 401 ")
        sock.sendall(b"\r\n")
        sock.sendall(WHOLE)
        assert sock.recv(65_536).startswith(b"HTTP/1.1 401 ")


_EVIL = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_LENGTH = b"Content-Length: %d\r\n" % len(_EVIL)
_OFFER = b"Upgrade: h2c\r\nConnection: upgrade\r\n"
_POST = b"POST /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.mark.parametrize(
    "packets",
    [
        [WHOLE + _POST + _LENGTH, _OFFER + b"\r\n", _EVIL],
        [WHOLE + _POST + _LENGTH + b"Upgr", b"ade: h2c\r\nConnection: upgrade\r\n\r\n", _EVIL],
        [_POST + b"Content-Length: 2\r\n\r\n{", b"}" + _POST + _LENGTH + _OFFER + b"\r\n", _EVIL],
        [CHUNKED + b"1\r\n{\r\n", b"0\r\n\r\n" + _POST + _LENGTH + _OFFER + b"\r\n", _EVIL],
        [b"CONNECT /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\n" + _LENGTH + b"\r\n", _EVIL],
    ],
    ids=["line by line", "in the name", "behind a body", "behind a chunk", "CONNECT"],
)
def test_no_body_is_run_as_a_request(
    server: LiveServer, sandbox: Sandbox, packets: list[bytes]
) -> None:
    """Wherever the offer of an upgrade stands, what follows it is a body, or refused."""
    with connected(server) as sock, contextlib.suppress(OSError):  # it may be closed by now
        for packet in packets:
            sock.sendall(packet)
            time.sleep(0.01)  # so that they arrive apart
        sock.shutdown(socket.SHUT_WR)
        answer_to(sock)
    assert all(exchange.path == "/v1/agents" for exchange in sandbox.journal)


@pytest.mark.parametrize(
    ("files", "connections"), [(65_536, 1_000), (1_024, 480), (256, 96), (64, 16), (-1, 1_000)]
)
def test_connections_leave_files_for_the_rest(
    monkeypatch: pytest.MonkeyPatch, files: int, connections: int
) -> None:
    """Where a process may open few files, fewer connections are served."""
    monkeypatch.setattr("resource.getrlimit", lambda _: (files, files))
    assert limits.most_connections() == connections


@pytest.mark.parametrize(
    ("before", "after"),
    [((1_024, 65_536), (2_064, 65_536)), ((256, 512), (512, 512)), ((65_536, 65_536), None)],
)
def test_a_server_asks_for_as_many_files_as_it_needs(
    monkeypatch: pytest.MonkeyPatch, before: tuple[int, int], after: tuple[int, int] | None
) -> None:
    """As many as the system gives to a process that asks."""
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr("resource.getrlimit", lambda _: before)
    monkeypatch.setattr("resource.setrlimit", lambda _, wanted: asked.append(wanted))
    limits.allow_most_connections()
    assert asked == ([after] if after else [])


def test_bounds_that_users_get() -> None:
    """Other tests have smaller ones, so as to reach them."""
    assert (limits.MAX_HEAD, limits.MAX_CONNECTIONS) == (64 * 1024, 1_000)
    assert limits.READ_SECONDS == 30
