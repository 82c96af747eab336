"""Receivers behind a URL: where it may lead, TLS, redirects, limits and silence."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import trustme
from doubles.receivers.kinds import listening

from pytest_turris.receivers import socket_post
from pytest_turris.receivers.egress import EgressRefused
from pytest_turris.webhooks.factory import WebhookFactory


def test_urls_elsewhere_are_refused(webhooks: WebhookFactory) -> None:
    """A URL goes through the egress check, in either method, and allow= reaches it."""
    webhook = webhooks.sign(b"{}")
    with pytest.raises(EgressRefused, match="allow="):
        webhook.send("http://192.0.2.1/")
    with pytest.raises(EgressRefused, match="allow="):
        asyncio.run(webhook.asend("http://192.0.2.1/"))
    with pytest.raises(EgressRefused, match="never allowed"):
        webhook.send("http://169.254.169.254/", allow=["169.254.169.254:80"])


def test_the_checked_address_is_connected_to(
    webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is resolved once, and sent in the Host header to the address that was checked."""
    resolved: list[str] = []

    def getaddrinfo(host: str, *_args: object, **_options: object) -> list[Any]:
        resolved.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", _args[0]))]

    with listening(lambda _body, _headers: True) as url:
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        port = url.rpartition(":")[2]
        name = f"receiver.example:{port}"
        answer = webhooks.sign(b"{}").send(f"http://{name}", allow=[name])
    assert answer.headers["x-host"] == name
    assert resolved == ["receiver.example", "127.0.0.1"]  # the latter is a literal, not a name


def test_tls_is_verified(
    webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Over https a receiver must be trusted, for its own name."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with listening(lambda _body, _headers: True, context) as url:
        with pytest.raises(ssl.SSLCertVerificationError):
            webhooks.sign(b"{}").send(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        assert webhooks.sign(b"{}").send(url).accepted
        with pytest.raises(ssl.SSLCertVerificationError):
            webhooks.sign(b"{}").send(url.replace("127.0.0.1", "localhost"))


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A socket that reads a request with the body ``{}``, sends fixed bytes and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connected, _ = server.accept()
            with connected, contextlib.suppress(OSError):
                request = b""
                while not request.endswith(b"{}"):
                    request += connected.recv(65536)
                connected.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_redirects_and_proxies_are_not_followed(
    webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect is an answer like any other, and proxies in the environment are ignored."""
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:1")
    with answering(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n") as url:
        answer = webhooks.sign(b"{}").send(url)
    assert (answer.status_code, answer.accepted) == (302, False)


def test_answers_are_capped(webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of an answer is read than the limit."""
    monkeypatch.setattr("pytest_turris.receivers.response_reader.BODY_LIMIT", 10)
    with answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100) as url:
        assert webhooks.sign(b"{}").send(url).body == b"x" * 10


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "endless", "part"),
    [
        (b"", CONTINUE, "65,536 bytes of head; send fewer headers and interim responses"),
        (CHUNKED, b"1;" + b"x" * 60_000 + b"\r\n.\r\n", "8,388,608 bytes of body; send it in"),
        (CHUNKED + b"0\r\n", b"a: b\r\n" * 10_000, "8,388,608 bytes of body; send it in"),
    ],
    ids=["interim responses", "extensions of chunks", "trailers"],
)
def test_an_endless_answer_is_given_up(
    webhooks: WebhookFactory, begin: bytes, endless: bytes, part: str
) -> None:
    """What neither a head nor a body has is limited, too: reading it until the end takes 30 s."""
    answer = begin + endless * (10_000_000 // len(endless))
    with answering(answer) as url, pytest.raises(ConnectionError, match=part):
        webhooks.sign(b"{}").send(url)


def test_interim_answers_are_passed_over(webhooks: WebhookFactory) -> None:
    """A receiver may send several before its answer."""
    with answering(CONTINUE * 100 + b"HTTP/1.1 204 No Content\r\n\r\n") as url:
        assert webhooks.sign(b"{}").send(url).status_code == 204


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_no_answer_over_http(webhooks: WebhookFactory, answer: bytes) -> None:
    """A receiver that hangs up or speaks no HTTP is a ConnectionError."""
    with answering(answer) as url, pytest.raises(ConnectionError):
        webhooks.sign(b"{}").send(url)


def test_nobody_listens(webhooks: WebhookFactory) -> None:
    """A refused connection is raised as it is, by a URL and by a client."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(ConnectionRefusedError):
        webhooks.sign(b"{}").send(url)
    for library in (httpx, httpx2):
        with library.Client(base_url=url) as client, pytest.raises(library.ConnectError):
            webhooks.sign(b"{}").send(client)


def test_slow_receivers(webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that does not answer in time is a TimeoutError; Turris waits 30 seconds."""
    assert socket_post.TURRIS_TIMEOUT == 30
    monkeypatch.setattr(socket_post, "TURRIS_TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(TimeoutError):
        webhooks.sign(b"{}").send(f"http://127.0.0.1:{server.getsockname()[1]}")
