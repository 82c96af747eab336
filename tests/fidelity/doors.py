"""The two doors of the running sandbox: in process through a client library, and over a socket."""

import contextlib
import http.client
import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What came back: header names are in lower case."""

    status: int
    headers: Headers
    body: bytes

    @property
    def document(self) -> Any:  # noqa: ANN401 - any JSON value
        """The JSON document, its members in the order of the wire."""
        return json.loads(self.body)


Door = Callable[[str, str, Headers, bytes], Answer]
"""Sends a method and a target with headers and a body."""


def in_process(base_url: str) -> Door:
    """Through httpx, which a test's sandbox answers in process."""
    client = httpx.Client(base_url=base_url)

    def send(method: str, target: str, headers: Headers, body: bytes) -> Answer:
        got = client.request(method, target, headers=dict(headers), content=body)
        return Answer(got.status_code, dict(got.headers), got.content)

    return send


def over_a_socket(base_url: str) -> Door:
    """Through the standard library's client, which nothing intercepts."""
    address = urlsplit(base_url)

    def send(method: str, target: str, headers: Headers, body: bytes) -> Answer:
        connection = http.client.HTTPConnection(address.hostname or "", address.port)
        try:
            connection.request(method, target, body, dict(headers))
            got = connection.getresponse()
            fields = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, fields, got.read())
        finally:
            connection.close()

    return send


@dataclass(frozen=True)
class Received:
    """A webhook as the receiver got it: header names are in lower case."""

    method: str
    headers: Headers
    body: bytes


@dataclass
class Receiver:
    """A receiver of webhooks that keeps what it gets, and answers with ``status``."""

    target: Any = None
    received: list[Received] = field(default_factory=list)
    status: int = 200

    def keep(self, method: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep a webhook."""
        lower = {name.lower(): value for name, value in headers.items()}
        self.received.append(Received(method, lower, body))


@contextlib.contextmanager
def receiver_in_process() -> Iterator[Receiver]:
    """A WSGI application."""
    receiver = Receiver()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        fields = {
            name.removeprefix("HTTP_").replace("_", "-"): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }
        receiver.keep(environ["REQUEST_METHOD"], fields, body)
        start_response(f"{receiver.status} -", [])
        return []

    receiver.target = application
    yield receiver


@contextlib.contextmanager
def receiver_on_a_socket() -> Iterator[Receiver]:
    """The standard library's server."""
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.keep(self.command, dict(self.headers.items()), body)
            self.send_response(receiver.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        receiver.target = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
