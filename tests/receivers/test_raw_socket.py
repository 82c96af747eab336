"""What is written to a raw socket, and how it ends."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers import raw_socket
from pytest_turris.receivers import socket_post as connection
from pytest_turris.receivers.egress import check_egress
from pytest_turris.receivers.exchange import Post, WebhookResponse
from pytest_turris.receivers.raw_socket import RawPost
from pytest_turris.receivers.response_reader import read_response

ANSWER = b"HTTP/1.1 413 x\r\nContent-Length: 2\r\n\r\nno"
HEAD = (b"POST / HTTP/1.1", b"Host: x")
HUGE = 64 * 1024 * 1024


@contextlib.contextmanager
def server(
    converse: Callable[[socket.socket], object], context: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Somebody who converses on one connection; the URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            line, _ = listener.accept()
            with context.wrap_socket(line, server_side=True) if context else line as spoken:
                converse(spoken)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        yield f"http{'s' if context else ''}://127.0.0.1:{listener.getsockname()[1]}/"
    thread.join(5)


def answers_early(line: socket.socket) -> None:
    """Answer after the first bytes, read no more, and hang up when the sender does."""
    line.recv(10)
    line.sendall(ANSWER)
    line.shutdown(socket.SHUT_WR)
    while line.recv(65_536):
        pass


def reads_to_the_end(line: socket.socket) -> None:
    """Read until the sender is through, then answer."""
    while line.recv(65_536):
        pass
    line.sendall(ANSWER)


def post(url: str, *pieces: bytes, finished: bool = False) -> WebhookResponse:
    """Write a request."""
    return raw_socket.post_raw(
        check_egress(url), RawPost(lines=HEAD, pieces=pieces, finished=finished)
    )


def test_writes_until_there_is_an_answer() -> None:
    """An early answer ends the sending; the result says how much was written."""
    with server(answers_early) as url:
        answer = post(url, b"x", *[bytes(65_536)] * (HUGE // 65_536))
    assert (answer.status_code, answer.body) == (413, b"no")
    assert 0 < answer.written < HUGE


def test_writes_everything_to_who_reads_it() -> None:
    """A reader that goes on to the end is sent all of it."""
    size = 3_000_000
    with server(reads_to_the_end) as url:
        answer = post(url, bytes(size), finished=True)
    assert answer.status_code == 413
    assert answer.written == size + len(RawPost(lines=HEAD).head)


def test_hanging_up_is_told() -> None:
    """A connection that is closed without an answer is an error that says when."""
    with (
        server(lambda line: line.recv(10)) as url,
        pytest.raises(ConnectionError, match="closed after"),
    ):
        post(url, b"x")


def test_speaks_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS it is all written, whatever else there is to read, and then the answer is read."""
    authority, file = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def converse(line: socket.socket) -> None:
        received = 0
        while received < 200_000:
            received += len(line.recv(65_536))
        line.sendall(ANSWER)

    with server(converse, context) as url:
        assert post(url, bytes(200_000)).status_code == 413


def test_untrusted_certificate_is_refused() -> None:
    """A receiver that is not trusted gets no request, and its connection is closed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with (
        server(lambda _: pytest.fail("it got a request"), context) as url,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        post(url)


def test_other_protocols_are_no_answer() -> None:
    """Bytes that are not HTTP are an error that names what is wrong with them."""

    def greet(line: socket.socket) -> None:
        line.recv(65_536)
        line.sendall(b"SSH-2.0-OpenSSH\r\n")

    with server(greet) as url, pytest.raises(ConnectionError, match=r"no answer in HTTP: BadStat"):
        post(url)


def test_deadline_that_is_over() -> None:
    """Nothing is read after the deadline, whatever has arrived by then."""
    near, far = socket.socketpair()
    with near, far:
        far.sendall(ANSWER)
        with pytest.raises(TimeoutError, match="timed out"):
            read_response(near, method="POST", deadline=steady_time())


def drips(line: socket.socket) -> None:
    """Answer byte by byte, each long before anybody gives up waiting for it, without an end."""
    line.recv(65_536)
    line.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    with contextlib.suppress(OSError):
        for _ in range(2_000):
            line.sendall(b"x")
            threading.Event().wait(0.01)


def post_as_turris(url: str) -> WebhookResponse:
    """Send as Turris does."""
    return connection.post_over_socket(check_egress(url), Post(headers=(), body=b"x"))


@pytest.mark.parametrize("send", [post, post_as_turris])
def test_dripping_answer_has_its_time(
    monkeypatch: pytest.MonkeyPatch, send: Callable[[str], WebhookResponse]
) -> None:
    """The time is for the whole answer: a timeout for each read never comes."""
    monkeypatch.setattr(raw_socket, "RAW_TIMEOUT", 0.2)
    monkeypatch.setattr(connection, "TURRIS_TIMEOUT", 0.2)
    with server(drips) as url, pytest.raises(TimeoutError):
        send(url)
