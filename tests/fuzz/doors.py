"""The doors that random requests come through, without what a careful client would refuse."""

import contextlib
import json
import logging
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import requests
from doubles.api_recipes import Sent, as_request

from mock_server.serving.log import ServerLog
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.doors.in_process.opening import open_doors
from pytest_turris.doors.sockets.asgi import Message, asgi_app
from pytest_turris.doors.sockets.loopback import loopback_only
from pytest_turris.doors.sockets.server import LiveServer

_URL = f"https://{HOSTS['sandbox']}"
_SECONDS = 60
_FRAMING = frozenset({"content-length", "transfer-encoding", "host", "connection"})


# The server says on standard error what is no HTTP: there is much of it.
logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


class NotSent(Exception):  # noqa: N818 - the name says what happened
    """The client library refused to send such a request."""


@dataclass(frozen=True)
class Answer:
    """An answer as a client has it."""

    status: int
    body: bytes

    def document(self) -> dict[str, Any]:
        """The JSON of a refusal; empty if it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Door(ABC):
    """A way to a sandbox."""

    may_be_silent = False
    """Whether a request without an answer is right: what is no HTTP may end the connection."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.files = contextlib.ExitStack()

    @abstractmethod
    def answer(self, sent: Sent) -> Answer | None:
        """The answer, or None if the connection ended without one.

        Raises:
            NotSent: The client library refused to send it.
        """

    def close(self) -> None:
        """Close it."""
        self.files.close()


class Handle(Door):
    """The core, without a door."""

    def answer(self, sent: Sent) -> Answer:
        """What ``Sandbox.handle`` returns."""
        response = self.sandbox.handle(as_request(sent))
        return Answer(response.status, response.body)


class Asgi(Door):
    """The ASGI application, called as a server calls it."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._app = loopback_only(asgi_app(sandbox.handle))

    def answer(self, sent: Sent) -> Answer:
        """What it sends; it waits for nothing, so that no event loop is needed."""
        path, _, query = sent.target.partition("?")
        scope: Message = {
            "type": "http",
            "method": sent.method,
            "path": path,
            "raw_path": path.encode("latin-1", "replace"),
            "query_string": query.encode("latin-1", "replace"),
            "headers": [(b"host", b"localhost"), *_fields(sent)],
        }
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": sent.body}

        async def send(message: Message) -> None:
            messages.append(message)

        with contextlib.suppress(StopIteration):
            self._app(scope, receive, send).send(None)  # type: ignore[attr-defined] # a coroutine
        return Answer(messages[0]["status"], messages[1]["body"])


class Httpx(Door):
    """httpx in this process."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self.files.enter_context(open_doors(sandbox))
        self._client = self.files.enter_context(httpx.Client())

    def answer(self, sent: Sent) -> Answer:
        """What the client gets."""
        try:
            request = self._client.build_request(
                sent.method, _URL + _line(sent), headers=_fields(sent), content=sent.body
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise NotSent from error
        response = self._client.send(request)
        return Answer(response.status_code, response.content)


class Requests(Door):
    """requests in this process."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.files.enter_context(open_doors(sandbox))
        self._session = self.files.enter_context(requests.Session())
        self._session.trust_env = False

    def answer(self, sent: Sent) -> Answer:
        """What the client gets."""
        headers = {name.decode(): value for name, value in _fields(sent)}
        try:
            response = self._session.request(
                sent.method, _URL + _line(sent), headers=headers, data=sent.body
            )
        except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL) as error:
            raise NotSent from error
        return Answer(response.status_code, response.content)


class Socket(Door):
    """A server on a socket; the connection stays open."""

    tls = False

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        url = urlsplit(self._serve(sandbox))
        self._address = (url.hostname or "", url.port or 0)
        self._connection: socket.socket | None = None
        self.files.callback(self._hang_up)

    def _serve(self, sandbox: Sandbox) -> str:
        server = LiveServer(loopback_only(asgi_app(sandbox.handle)), tls=self.tls)
        self.files.callback(server.stop)
        self._context = ssl.create_default_context()
        if server.authority:
            server.authority.configure_trust(self._context)
        return server.base_url

    def answer(self, sent: Sent) -> Answer | None:
        """What comes back to a request whose length is told rightly."""
        head = [f"{sent.method} {_line(sent)} HTTP/1.1".encode()]
        fields = [field for field in _fields(sent) if field[0].decode() not in _FRAMING]
        length = (b"content-length", str(len(sent.body)).encode())
        lines = [
            *head,
            *(b": ".join(field) for field in (*fields, length, (b"host", b"localhost"))),
        ]
        if self._connection is None:
            self._connection = self._connected()
        self._connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + sent.body)
        answer, stays = _read(self._connection)
        if not stays:
            self._hang_up()
        return answer

    def _connected(self) -> socket.socket:
        connection = socket.create_connection(self._address, timeout=_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.tls:
            return connection
        return self._context.wrap_socket(connection, server_hostname=self._address[0])

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Tls(Socket):
    """The same over TLS."""

    tls = True


class Raw(Socket):
    """A connection for each request, whose bytes are sent as they are, and then no more."""

    may_be_silent = True

    def answer(self, sent: Sent) -> Answer | None:
        """The first answer, if any comes."""
        fields = [(b"host", b"localhost"), *_fields(sent)]
        if not any(name in (b"content-length", b"transfer-encoding") for name, _ in fields):
            fields.append((b"content-length", str(len(sent.body)).encode()))
        line = f"{sent.method} {sent.target} HTTP/1.1".encode("latin-1", "replace")
        head = b"\r\n".join([line, *(b": ".join(field) for field in fields)])
        with self._connected() as connection:
            with contextlib.suppress(ConnectionError):  # refused before all of it was sent
                connection.sendall(head + b"\r\n\r\n" + sent.body)
                connection.shutdown(socket.SHUT_WR)
            return _read(connection)[0]


class Serve(Socket):
    """All of ``turris-sandbox serve``, but its process."""

    def _serve(self, sandbox: Sandbox) -> str:
        log = ServerLog(None)
        self.files.callback(log.close)
        served = StandaloneSandbox(sandbox, ServerSettings(), log)
        self.files.enter_context(served)
        return served.base_url


DOORS: dict[str, Callable[[Sandbox], Door]] = {
    "handle": Handle, "asgi": Asgi, "httpx": Httpx, "requests": Requests, "socket": Socket,
    "tls": Tls, "raw": Raw, "serve": Serve,
}  # fmt: skip


def _fields(sent: Sent) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in sent.headers.items()]


def _line(sent: Sent) -> str:
    """The target, with percent-encoding where a request line cannot have a character."""
    return quote(sent.target, safe="/?=&%!$'()*+,;:@[]{}|^`~\"<>\\")


def _read(connection: socket.socket) -> tuple[Answer | None, bool]:
    """The answer, if one comes, and whether the connection stays open."""
    with contextlib.suppress(ConnectionError), connection.makefile("rb") as stream:
        status, length, stays = stream.readline().split(b" ", 2), 0, True
        if len(status) < 2:
            return None, False
        while line := stream.readline().strip().lower():
            name, _, value = line.partition(b":")
            length = int(value) if name == b"content-length" else length
            stays = stays and not (name == b"connection" and value.strip() == b"close")
        return Answer(int(status[1]), stream.read(length)), stays
    return None, False
