"""The door for every other client: a real socket on loopback, served from a daemon thread.

The thread's event loop runs by a clock of its own. Under freezegun ``time.monotonic`` stands
still, and a loop that schedules by it never wakes up to stop.
"""

import asyncio
import contextlib
import errno
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

import uvicorn

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.doors.sockets import limits
from pytest_turris.doors.sockets.asgi import App
from pytest_turris.doors.sockets.http1 import protocol
from pytest_turris.doors.sockets.plain import PlainAnswers
from pytest_turris.process.steady_clock import SERVER_THREAD, SteadyLoop

if TYPE_CHECKING:
    import trustme

_STOP_TIMEOUT = 5.0
_TAKEN = frozenset({errno.EADDRINUSE, errno.EACCES})
"""Why an address of this machine cannot be bound; Windows has the second for some."""
_TRIES = 50
"""For a free port that is free at each address."""
_MORE_FILES = "close some, or let this process open more (ulimit -n)"
_REPORTED_FOR = 60.0
"""Seconds until the next line about that."""


class ServerError(TurrisKitError, RuntimeError):
    """The local server does not stop, or has no TLS where a test asked for it."""


class _ReportingTls(ssl.SSLObject):
    """Reports clients that cannot agree on TLS, such as one that speaks plain HTTP."""

    def do_handshake(self) -> None:
        """Shake hands, in as many calls as bytes take to arrive."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            report = getattr(self.context, "on_refusal", None)
            if report:
                report(f"connection refused: {_TLS_REASONS.get(error.reason, error.reason)}")
            raise


class _ReportingContext(ssl.SSLContext):
    """A context whose connections report why their handshake failed."""

    sslobject_class = _ReportingTls
    on_refusal: Callable[[str], None] | None = None


_TLS_REASONS = {
    "HTTP_REQUEST": "it speaks plain HTTP, but this port speaks HTTPS: use https://",
    "TLSV1_ALERT_UNKNOWN_CA": "the client does not trust this server: give it the file that "
    "SSL_CERT_FILE names",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the client does not accept this server's certificate: give it "
    "the file that SSL_CERT_FILE names",
}
"""OpenSSL's names of what went wrong, in words; others are shown as they are."""


class _Server(uvicorn.Server):
    """A uvicorn server in a thread."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals of the process alone: it runs tests."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, and only then close.

        asyncio, that of Python 3.11 at least, neither serves nor closes a connection that it has
        accepted in the iteration before its server is closed.
        """
        loop = asyncio.get_running_loop()
        for listening in self.servers:
            for sock in listening.sockets:
                loop.remove_reader(sock.fileno())
        await asyncio.sleep(0)
        await super().shutdown(sockets)


class _ServerLoop(SteadyLoop):
    """Bounds the TLS handshake, in which uvicorn does not know a connection yet, and ends all."""

    report: Callable[[str], None] | None = None
    """Gets a line when connections cannot be accepted; None for asyncio's own log."""
    _silent_until = 0.0

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:  # noqa: ANN401 - as asyncio's
        """Listen; a client that says nothing is dropped."""
        if options.get("ssl"):
            options["ssl_handshake_timeout"] = limits.READ_SECONDS
        return await super().create_server(*args, **options)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Report once a minute that no file is left; asyncio may do so 128 times a second."""
        error = context.get("exception")
        if isinstance(error, OSError) and "accept()" in context["message"]:
            if self.time() < self._silent_until:
                return None
            self._silent_until = self.time() + _REPORTED_FOR
            if self.report:
                return self.report(f"new connections wait: {error.strerror}; {_MORE_FILES}")
        return super().call_exception_handler(context)

    def abort_connections(self) -> None:
        """Abort all connections that are not lost already."""
        for transport in list(vars(self).get("_transports", {}).values()):
            # asyncio cannot abort one that was closed before all was sent, and has sent it.
            if transport.get_protocol() is not None:
                transport.abort()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.create_server((host, port), family=family)
    # Each connection inherits it; otherwise Nagle's algorithm delays every answer by 40 ms.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _listen_everywhere(host: str, port: int, also: Collection[str]) -> list[socket.socket]:
    """Listen at an address, and with the same port at those others that this machine has."""
    with contextlib.ExitStack() as opened:
        first = opened.enter_context(_listen(host, port))
        found = [first]
        for address in also:
            try:
                found.append(opened.enter_context(_listen(address, first.getsockname()[1])))
            except OSError as error:
                # Otherwise it would be another process that answers there: a client that takes
                # this address for the same server would give it its secret.
                if error.errno in _TAKEN:
                    raise
        opened.pop_all()
    return found


def _bind(host: str, port: int, also: Collection[str]) -> list[socket.socket]:
    """Listen everywhere; port 0 takes one that is free everywhere."""
    left = 1 if port else _TRIES
    while True:
        left -= 1
        try:
            return _listen_everywhere(host, port, also)
        except OSError as error:
            if not left or error.errno not in _TAKEN:
                raise


def _config(app: App, context: ssl.SSLContext | None, plain: PlainAnswers | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=protocol(plain),  # type: ignore[arg-type]  # uvicorn calls it, and does no more
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=limits.MAX_HEAD,
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
        plain: PlainAnswers | None = None,
        on_refusal: Callable[[str], None] | None = None,
        starts: bool = True,
    ) -> None:
        """Bind a socket and serve from a thread.

        Args:
            app: The application.
            tls: Whether to speak HTTPS with a certificate made for this server.
            context: A TLS context of the caller's own, in place of ``tls``.
            host: The address to bind.
            port: The port to bind; 0 takes a free one.
            also: Further addresses to bind with the same port, if this machine has them.
            plain: Answers the requests that need no other layer of the application.
            on_refusal: Gets a line for each connection that fails before its first request.
            starts: Whether to serve at once; otherwise clients that connect wait for ``start``.

        Raises:
            OSError: An address is taken, or ``host`` is not an address of this machine.
        """
        self.authority: trustme.CA | None = _authority() if tls else None
        self._sockets = _bind(host, port, also)
        self.host: str = host
        self.port: int = self._sockets[0].getsockname()[1]
        self._on_refusal = on_refusal
        self._server = _Server(_config(app, context or self._server_context(), plain))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=SERVER_THREAD, daemon=True)
        if starts:
            self.start()

    @property
    def base_url(self) -> str:
        """Such as ``http://127.0.0.1:40123``."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.authority else 'http'}://{name}:{self.port}"

    def start(self) -> None:
        """Serve, the clients first that have connected already."""
        self._thread.start()

    def begin_stop(self) -> None:
        """Accept nothing more; ``stop`` waits for the end."""
        self._server.should_exit = True

    def stop(self) -> None:
        """Close the socket and wait for the thread to end.

        Raises:
            ServerError: The thread did not end within five seconds.
        """
        self.begin_stop()
        self._thread.join(_STOP_TIMEOUT)
        for sock in self._sockets:
            sock.close()
        if self._thread.is_alive():
            raise ServerError(f"the server thread at {self.base_url} did not stop")

    def wait(self) -> None:
        """Block until the server stops; Ctrl-C interrupts the wait."""
        # Not ``Thread.join``: up to Python 3.12, one that an exception of a signal handler ends
        # takes the running thread for ended (CPython issue 90882), and ``stop`` would not wait.
        while not self._ended.wait(0.2):
            pass

    def _run(self) -> None:
        loop = _ServerLoop()
        loop.report = self._on_refusal
        try:
            loop.run_until_complete(self._server.serve(sockets=self._sockets))
        finally:
            self._ended.set()
            # uvicorn does not know connections that were just accepted, and those that are still in
            # their TLS handshake.
            loop.run_until_complete(asyncio.sleep(0))
            loop.abort_connections()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    def _server_context(self) -> ssl.SSLContext | None:
        if self.authority is None:
            return None
        context = _ReportingContext(ssl.PROTOCOL_TLS_SERVER)
        context.on_refusal = self._on_refusal
        names = ("localhost", "127.0.0.1", "::1", *HOSTS.values())
        self.authority.issue_cert(*names).configure_cert(context)
        return context


def _authority() -> "trustme.CA":
    import trustme  # noqa: PLC0415 - only TLS needs it, and a start must be short

    return trustme.CA()
