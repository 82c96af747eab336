"""The door for everything else: a real socket on loopback, served from a daemon thread.

The thread's event loop keeps its own time. Under freezegun ``time.monotonic`` stands still,
and a loop that schedules by it never wakes up to stop.
"""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import trustme
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from pytest_turris.doors import raw_answer
from pytest_turris.doors.asgi import ABORT, WRITE, App, Receive, Scope, Send
from pytest_turris.steady_clock import SteadyLoop

_PATIENCE = 5.0

_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_NOT_HTTP = (
    b'{"statusCode":400,"errorType":"invalid_input","errorMessage":["Request is not valid HTTP"]}'
)
_NOT_HTTP_HEADERS = (
    (b"content-type", b"application/json; charset=utf-8"),
    (b"content-length", str(len(_NOT_HTTP)).encode()),
    (b"connection", b"close"),
)


class _Protocol(H11Protocol):
    """HTTP/1.1 that can drop a connection and answers garbage in Turris' words."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - uvicorn's own type
        super().connection_made(transport)
        extensions = {
            ABORT: transport.abort,
            WRITE: partial(raw_answer.write, transport=transport, is_full=self._is_full),
        }
        self.app = cast("Any", partial(_extended, self.app, extensions))

    def _is_full(self) -> bool:
        return bool(self.flow.write_paused)

    def send_400_response(self, msg: str) -> None:
        """What h11 could not parse: no sandbox sees it, so none can record it."""
        del msg  # it may hold what was sent
        fields = b"".join(b"%s: %s\r\n" % field for field in _NOT_HTTP_HEADERS)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + fields + b"\r\n" + _NOT_HTTP)
        self.transport.close()


async def _extended(
    app: App, extensions: dict[str, Any], scope: Scope, receive: Receive, send: Send
) -> None:
    scope["extensions"] = scope.get("extensions", {}) | extensions
    if {name for name, _ in scope["headers"]} >= _LENGTHS:
        # Where such a request ends is ambiguous; what follows could be another's (RFC 9112, 6.3).
        start = {"type": "http.response.start", "status": 400, "headers": _NOT_HTTP_HEADERS}
        await send(start)
        await send({"type": "http.response.body", "body": _NOT_HTTP})
    else:
        await app(scope, receive, send)


class _Server(uvicorn.Server):
    """A server in a thread."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the process' signals alone: this is a thread of somebody's tests."""
        yield


class LiveServer:
    """An application on a loopback socket, until ``stop``."""

    def __init__(
        self,
        app: App,
        *,
        tls: bool = False,
        context: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """Bind and serve; ``port=0`` takes a free one, ``context`` is a TLS of the caller's own.

        Raises:
            OSError: The address is taken or not this machine's.
        """
        self.authority: trustme.CA | None = trustme.CA() if tls else None
        self._socket = socket.create_server((host, port))
        # Inherited by each connection; else Nagle's algorithm costs every answer 40 ms.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host: str = host
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        config.load()
        config.ssl = context or self._server_context()
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, name="turris-server", daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        """Where it answers, such as ``http://127.0.0.1:40123``."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.authority else 'http'}://{name}:{self.port}"

    def stop(self) -> None:
        """Close the socket and wait for the thread to end.

        Raises:
            RuntimeError: It did not end within five seconds.
        """
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
        self._socket.close()
        if self._thread.is_alive():
            raise RuntimeError(f"the server thread at {self.base_url} did not stop")

    def wait(self) -> None:
        """Block until the server stops; Ctrl-C gets through."""
        while self._thread.is_alive():
            self._thread.join(0.2)

    def _run(self) -> None:
        loop = SteadyLoop()
        try:
            loop.run_until_complete(self._server.serve(sockets=[self._socket]))
        finally:
            # The server knows no connection that is still in its TLS handshake.
            for transport in list(vars(loop).get("_transports", {}).values()):
                transport.abort()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    def _server_context(self) -> ssl.SSLContext | None:
        if self.authority is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
        return context
