"""Servers that must not receive a credential: a second listener, with and without TLS."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.hosts import is_turris
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.server import LiveServer
from pytest_turris.process.patch import Patch

Resolve = Callable[..., Any]


class DecoyServers:
    """Loopback listeners that receive what a client sends to a wrong place; started when needed.

    Args:
        handle: Records and answers each request.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._servers: dict[bool, LiveServer] = {}

    def port(self, *, tls: bool = False) -> int:
        """The port of the listener. With TLS its certificate has an unknown issuer."""
        if tls not in self._servers:
            self._servers[tls] = LiveServer(asgi_app(self._handle), tls=tls)
        return int(self._servers[tls].port)

    @contextlib.contextmanager
    def listening(self, context: ssl.SSLContext) -> Iterator[int]:
        """The port of one more listener, with its own TLS context, while this is open."""
        server = LiveServer(asgi_app(self._handle), context=context)
        try:
            yield server.port
        finally:
            server.stop()

    def stop(self) -> None:
        """Close the listeners that were started."""
        while self._servers:
            self._servers.popitem()[1].stop()

    @contextlib.contextmanager
    def in_place_of_turris(self) -> Iterator[None]:
        """Make the names of the Turris hosts resolve to the listener without TLS."""
        port = self.port()

        def resolving(resolve: Resolve) -> Resolve:
            def resolved(host: Any, service: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
                name = host.decode() if isinstance(host, bytes) else str(host)
                if is_turris(name):
                    return resolve("127.0.0.1", port, *args, **kwargs)
                return resolve(host, service, *args, **kwargs)

            return resolved

        with Patch((socket, "getaddrinfo", resolving)):
            yield
