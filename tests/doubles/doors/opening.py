"""Every door with a client in front of it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from subprocess import DEVNULL

import httpx
import requests

from doubles.served_sandbox import serving
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import Server, ServerPool
from pytest_turris.relay.client import Relay

from .child_clients import Curl, Node
from .clients import NO_VERIFY, Client
from .in_process_clients import FIELDS_ARE_A_DICT, IN_PROCESS, Requests, SyncHttpx
from .socket_clients import Aiohttp, Urllib, Urllib3


class Doors:
    """Opens any door to any sandbox; ``files`` end with the session."""

    def __init__(self, pool: ServerPool, files: ExitStack) -> None:
        self._pool = pool
        self._files = files
        self._nodes: dict[str, Node] = {}
        self._shared: dict[bool, tuple[Relay, Server]] = {}

    def open(self, name: str, sandbox: Sandbox) -> AbstractContextManager[Client]:
        """The client, while the door is open."""
        if name in IN_PROCESS:
            return IN_PROCESS[name](sandbox)
        return _ON_SOCKETS[name](self, sandbox)

    @contextmanager
    def _live(self, sandbox: Sandbox) -> Iterator[Client]:
        with self._pool.serve(sandbox) as server:
            trusted = server.client_context() if sandbox.options.tls else NO_VERIFY
            with httpx.Client(verify=trusted, timeout=60) as client:
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
        with relay.serve(sandbox, "contract"), httpx.Client(verify=trusted, timeout=60) as client:
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

    @contextmanager
    def _node_fetch(self, sandbox: Sandbox) -> Iterator[Client]:
        with self._pool.serve(sandbox) as server:
            yield self._running("fetch.mjs", server)

    @contextmanager
    def _node_http(self, sandbox: Sandbox) -> Iterator[Client]:
        with self._pool.serve(sandbox) as server:
            yield self._running("http.mjs", server)

    def _running(self, script: str, server: Server) -> Node:
        """One process for the session: it takes longer to begin than to answer."""
        if script not in self._nodes:
            self._nodes[script] = self._files.enter_context(closing(Node(script, server)))
        return self._nodes[script]


_ON_SOCKETS: dict[str, Callable[[Doors, Sandbox], AbstractContextManager[Client]]] = {
    "live http": Doors._live,
    "live https": Doors._live,
    "live requests": Doors._live_requests,
    "shared http": Doors._through_shared_server,
    "shared https": Doors._through_shared_server,
    "aiohttp": Doors._aiohttp,
    "urllib3": Doors._urllib3,
    "urllib": Doors._urllib,
    "curl": Doors._curl,
    "node fetch": Doors._node_fetch,
    "node http": Doors._node_http,
}

NAMES = (*IN_PROCESS, *_ON_SOCKETS)
"""The doors that the contract suite runs over."""

UNDER_ENGINES = tuple(
    f"{name} under {engine}"
    for name in ("httpx", "live http")
    for engine in ("freezegun", "time-machine")
)
"""A door in process and one with a server thread: an engine does the same to the others."""

OVER_TLS = ("live https", "shared https", "aiohttp", "urllib", "curl", "node fetch")
"""Doors that speak HTTPS; the others on a socket speak HTTP."""

REPEATING = tuple(
    name
    for name in NAMES
    if name not in {*FIELDS_ARE_A_DICT, "live requests", "urllib", "node fetch"}
)
"""Doors whose client can send a header twice."""
