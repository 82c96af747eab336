"""The door for every other client: a real socket on loopback, served from a daemon thread.

The thread's event loop runs by a clock of its own. Under freezegun ``time.monotonic`` stands
still, and a loop that schedules by it never wakes up to stop.
"""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Collection, Iterator
from typing import Any

import trustme
import uvicorn

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.doors.sockets.asgi import App
from pytest_turris.doors.sockets.http1 import protocol
from pytest_turris.process.steady_clock import SteadyLoop

_STOP_TIMEOUT = 5.0


class ServerError(TurrisKitError, RuntimeError):
    """The local server does not stop, or has no TLS where a test asked for it."""


class _Server(uvicorn.Server):
    """A uvicorn server in a thread."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals of the process alone: it runs tests."""
        yield


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.create_server((host, port), family=family)
    # Each connection inherits it; otherwise Nagle's algorithm delays every answer by 40 ms.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _config(app: App, context: ssl.SSLContext | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=protocol(),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        # A client's address is that of its socket, whatever its headers say about a proxy.
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        # With a longer queue, a process without free file descriptors spends its time on
        # connections that it cannot accept.
        backlog=128,
    )
    config.load()
    config.ssl = context
    return config


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
        also: Collection[str] = (),
    ) -> None:
        """Bind a socket and serve from a thread.

        Args:
            app: The application.
            tls: Whether to speak HTTPS with a certificate made for this server.
            context: A TLS context of the caller's own, in place of ``tls``.
            host: The address to bind.
            port: The port to bind; 0 takes a free one.
            also: Further addresses to bind with the same port, where that is possible.

        Raises:
            OSError: The address is taken, or not an address of this machine.
        """
        self.authority: trustme.CA | None = trustme.CA() if tls else None
        first = _listen(host, port)
        self.host: str = host
        self.port: int = first.getsockname()[1]
        self._sockets = [first]
        for address in also:
            with contextlib.suppress(OSError):  # no such address here, or its port is taken
                self._sockets.append(_listen(address, self.port))
        self._server = _Server(_config(app, context or self._server_context()))
        self._thread = threading.Thread(target=self._run, name="turris-server", daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        """Such as ``http://127.0.0.1:40123``."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.authority else 'http'}://{name}:{self.port}"

    def stop(self) -> None:
        """Close the socket and wait for the thread to end.

        Raises:
            ServerError: The thread did not end within five seconds.
        """
        self._server.should_exit = True
        self._thread.join(_STOP_TIMEOUT)
        for sock in self._sockets:
            sock.close()
        if self._thread.is_alive():
            raise ServerError(f"the server thread at {self.base_url} did not stop")

    def wait(self) -> None:
        """Block until the server stops; Ctrl-C interrupts the wait."""
        while self._thread.is_alive():
            self._thread.join(0.2)

    def _run(self) -> None:
        loop = SteadyLoop()
        loop.set_exception_handler(self._handle)
        try:
            loop.run_until_complete(self._server.serve(sockets=self._sockets))
        finally:
            # uvicorn does not know connections that are still in their TLS handshake.
            for transport in list(vars(loop).get("_transports", {}).values()):
                transport.abort()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    def _handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # uvicorn closes its sockets before the loop stops to accept from them.
        if not self._server.should_exit:
            loop.default_exception_handler(context)

    def _server_context(self) -> ssl.SSLContext | None:
        if self.authority is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
        return context
