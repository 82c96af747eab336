"""Every door with a client in front of it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from subprocess import DEVNULL

import httpx
import httpx2
import requests

from doubles.served_sandbox import serving
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.in_process.httpx import httpx2_door, httpx_door
from pytest_turris.doors.in_process.requests import requests_door
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.pool import Server, ServerPool
from pytest_turris.relay.client import Relay

from .child_clients import Curl, Node
from .clients import NO_VERIFY, AsyncHttpx, Client, Requests, SyncHttpx
from .socket_clients import Aiohttp, Urllib, Urllib3

Opener = Callable[[Sandbox], AbstractContextManager[Client]]

OVER_TLS = ("live https", "shared https", "aiohttp", "urllib", "curl", "node fetch")
"""Doors that speak HTTPS; the others on a socket speak HTTP."""


class Doors:
    """Opens any door to any sandbox; ``files`` end with the session."""

    def __init__(self, pool: ServerPool, files: ExitStack) -> None:
        self._pool = pool
        self._files = files
        self._nodes: dict[str, Node] = {}
        self._shared: dict[bool, tuple[Relay, Server]] = {}

    def open(self, name: str, sandbox: Sandbox) -> AbstractContextManager[Client]:
        """The client, while the door is open."""
        openers: dict[str, Opener] = {
            "httpx": self._httpx,
            "httpx async": self._httpx_async,
            "httpx2": self._httpx2,
            "httpx2 async": self._httpx2_async,
            "requests": self._requests,
            "asgi": lambda sandbox: nullcontext(_asgi(sandbox)),
            "live http": self._live,
            "live https": self._live,
            "live requests": self._live_requests,
            "shared http": self._through_shared_server,
            "shared https": self._through_shared_server,
            "aiohttp": self._aiohttp,
            "urllib3": self._urllib3,
            "urllib": self._urllib,
            "curl": self._curl,
            "node fetch": self._node("fetch.mjs"),
            "node http": self._node("http.mjs"),
        }
        return openers[name](sandbox)

    @contextmanager
    def _httpx(self, sandbox: Sandbox) -> Iterator[Client]:
        with httpx_door(sandbox.handle), httpx.Client(verify=NO_VERIFY) as client:
            yield SyncHttpx(sandbox.base_url, client)

    @contextmanager
    def _httpx_async(self, sandbox: Sandbox) -> Iterator[Client]:
        with httpx_door(sandbox.handle):
            yield AsyncHttpx(sandbox.base_url, lambda: httpx.AsyncClient(verify=NO_VERIFY))

    @contextmanager
    def _httpx2(self, sandbox: Sandbox) -> Iterator[Client]:
        with httpx2_door(sandbox.handle), httpx2.Client(verify=NO_VERIFY) as client:
            yield SyncHttpx(sandbox.base_url, client, httpx2.TransportError)

    @contextmanager
    def _httpx2_async(self, sandbox: Sandbox) -> Iterator[Client]:
        with httpx2_door(sandbox.handle):
            yield AsyncHttpx(
                sandbox.base_url,
                lambda: httpx2.AsyncClient(verify=NO_VERIFY),
                httpx2.TransportError,
            )

    @contextmanager
    def _requests(self, sandbox: Sandbox) -> Iterator[Client]:
        with requests_door(sandbox.handle), requests.Session() as session:
            yield Requests(sandbox.base_url, session)

    @contextmanager
    def _live(self, sandbox: Sandbox) -> Iterator[Client]:
        with self._pool.serve(sandbox) as server:
            trusted = server.client_context() if sandbox.options.tls else NO_VERIFY
            with httpx.Client(verify=trusted, timeout=10) as client:
                yield SyncHttpx(server.base_url, client)

    @contextmanager
    def _live_requests(self, sandbox: Sandbox) -> Iterator[Client]:
        with self._pool.serve(sandbox) as server, requests.Session() as session:
            session.trust_env = False
            yield Requests(server.base_url, session)

    @contextmanager
    def _through_shared_server(self, sandbox: Sandbox) -> Iterator[Client]:
        relay, server = self._sharing(sandbox, tls=sandbox.options.tls)
        trusted = server.client_context() if sandbox.options.tls else NO_VERIFY
        with relay.serve(sandbox, "contract"), httpx.Client(verify=trusted, timeout=10) as client:
            yield SyncHttpx(server.base_url, client)

    def _sharing(self, sandbox: Sandbox, *, tls: bool) -> tuple[Relay, Server]:
        """A standalone server, and this process at it, for the session."""
        if tls not in self._shared:
            running = self._files.enter_context(serving(*["--tls"] if tls else [], log=DEVNULL))
            found = running.variables
            server = Server(found["TURRIS_BASE_URL"], sandbox, found.get("SSL_CERT_FILE"))
            context = server.client_context() if tls else None
            token = found["TURRIS_CONTROL_TOKEN"]
            relay = Relay(server.base_url, token, workers=1, context=context)
            self._files.callback(relay.stop)
            self._shared[tls] = relay, server
        return self._shared[tls]

    @contextmanager
    def _aiohttp(self, sandbox: Sandbox) -> Iterator[Client]:
        with self._pool.serve(sandbox) as server:
            yield Aiohttp(server)

    @contextmanager
    def _urllib3(self, sandbox: Sandbox) -> Iterator[Client]:
        with self._pool.serve(sandbox) as server, closing(Urllib3(server)) as client:
            yield client

    @contextmanager
    def _urllib(self, sandbox: Sandbox) -> Iterator[Client]:
        with self._pool.serve(sandbox) as server:
            yield Urllib(server)

    @contextmanager
    def _curl(self, sandbox: Sandbox) -> Iterator[Client]:
        with self._pool.serve(sandbox) as server:
            yield Curl(server)

    def _node(self, script: str) -> Opener:
        @contextmanager
        def opened(sandbox: Sandbox) -> Iterator[Client]:
            with self._pool.serve(sandbox) as server:
                yield self._running(script, server)

        return opened

    def _running(self, script: str, server: Server) -> Node:
        """One process for the session: it takes longer to begin than to answer."""
        if script not in self._nodes:
            self._nodes[script] = self._files.enter_context(closing(Node(script, server)))
        return self._nodes[script]


def _asgi(sandbox: Sandbox) -> Client:
    transport = httpx.ASGITransport(asgi_app(sandbox.handle))
    # Without a server there is no connection to break: the app raises instead.
    return AsyncHttpx(
        sandbox.base_url, lambda: httpx.AsyncClient(transport=transport), ConnectionResetError
    )
