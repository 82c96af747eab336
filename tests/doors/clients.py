import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import httpx2
import requests

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.asgi import asgi_app
from pytest_turris.doors.httpx import httpx2_door, httpx_door
from pytest_turris.doors.requests import requests_door
from pytest_turris.live_fixture import ServerPool

Fields = Sequence[tuple[str, str]]

NO_VERIFY = ssl.create_default_context()
"""For clients in process: loading the trust store takes longer than a whole test."""


@dataclass(frozen=True)
class Answer:
    """What a client got, in the same form for every client."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, if it came."""
        return next((value for found, value in self.headers if found == name), None)

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body as JSON."""
        return httpx.Response(200, content=self.body).json()


class Client(Protocol):
    """One HTTP client behind one door."""

    broken: type[Exception]
    """How it says that a connection failed."""

    def send(
        self, method: str, target: str, headers: Fields = (), body: bytes | list[bytes] = b""
    ) -> Answer:
        """Send a request; a list of chunks is streamed, and so is the answer."""


@dataclass
class SyncHttpx:
    """``httpx.Client`` or ``httpx2.Client``."""

    base_url: str
    client: Any
    broken: type[Exception] = httpx.TransportError

    def send(
        self, method: str, target: str, headers: Fields = (), body: bytes | list[bytes] = b""
    ) -> Answer:
        """Send a request and read the answer in pieces."""
        content = iter(body) if isinstance(body, list) else body
        url = self.base_url + target
        with self.client.stream(method, url, headers=list(headers), content=content) as answer:
            received = b"".join(answer.iter_bytes(7))
        return Answer(answer.status_code, answer.headers.multi_items(), received)


@dataclass
class AsyncHttpx:
    """``httpx.AsyncClient`` or that of httpx2, in an event loop of its own for each request."""

    base_url: str
    connect: Callable[[], Any]
    broken: type[Exception] = httpx.TransportError

    def send(
        self, method: str, target: str, headers: Fields = (), body: bytes | list[bytes] = b""
    ) -> Answer:
        """Send a request and read the answer in pieces."""
        return asyncio.run(self._send(method, self.base_url + target, headers, body))

    async def _send(
        self, method: str, url: str, headers: Fields, body: bytes | list[bytes]
    ) -> Answer:
        content = _aiter(body) if isinstance(body, list) else body
        async with (
            self.connect() as client,
            client.stream(method, url, headers=list(headers), content=content) as answer,
        ):
            received = b"".join([chunk async for chunk in answer.aiter_bytes(7)])
        return Answer(answer.status_code, answer.headers.multi_items(), received)


@dataclass
class Requests:
    """``requests.Session``."""

    base_url: str
    session: requests.Session
    broken: type[Exception] = requests.ConnectionError

    def send(
        self, method: str, target: str, headers: Fields = (), body: bytes | list[bytes] = b""
    ) -> Answer:
        """Send a request and read the answer in pieces."""
        content = iter(body) if isinstance(body, list) else body
        url, fields = self.base_url + target, dict(headers)
        with self.session.request(
            method, url, headers=fields, data=content, stream=True, timeout=10
        ) as answer:
            received = b"".join(answer.iter_content(7))
        pairs = [(name.lower(), value) for name, value in answer.headers.items()]
        return Answer(answer.status_code, pairs, received)


async def _aiter(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class Doors:
    """Opens any door to any sandbox, with a client in front of it."""

    def __init__(self, pool: ServerPool) -> None:
        self._pool = pool
        self._clients: dict[str, httpx.Client] = {}

    def open(self, name: str, sandbox: Sandbox) -> AbstractContextManager[Client]:
        """The client, while the door is open."""
        openers: dict[str, Callable[[Sandbox], AbstractContextManager[Client]]] = {
            "httpx": self._httpx,
            "httpx async": self._httpx_async,
            "httpx2": self._httpx2,
            "httpx2 async": self._httpx2_async,
            "requests": self._requests,
            "asgi": lambda sandbox: nullcontext(_asgi(sandbox)),
            "live http": self._live,
            "live https": self._live,
            "live requests": self._live_requests,
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


def _asgi(sandbox: Sandbox) -> Client:
    transport = httpx.ASGITransport(asgi_app(sandbox.handle))
    # Without a server there is no connection to break: the app raises instead.
    return AsyncHttpx(
        sandbox.base_url, lambda: httpx.AsyncClient(transport=transport), ConnectionResetError
    )
