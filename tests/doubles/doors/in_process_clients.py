"""Clients that are answered in process, each with its door open: a new door is added here alone."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import httpx2
import requests

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.in_process.httpx import httpx2_door, httpx_door
from pytest_turris.doors.in_process.requests import requests_door
from pytest_turris.doors.sockets.asgi import asgi_app

from .clients import NO_VERIFY, Answer, Client, Fields, in_turn

Opener = Callable[[Sandbox], AbstractContextManager[Client]]


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
        content = in_turn(body) if isinstance(body, list) else body
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


@contextmanager
def _httpx(sandbox: Sandbox) -> Iterator[Client]:
    with httpx_door(sandbox.handle), httpx.Client(verify=NO_VERIFY) as client:
        yield SyncHttpx(sandbox.base_url, client)


@contextmanager
def _httpx_async(sandbox: Sandbox) -> Iterator[Client]:
    with httpx_door(sandbox.handle):
        yield AsyncHttpx(sandbox.base_url, lambda: httpx.AsyncClient(verify=NO_VERIFY))


@contextmanager
def _httpx2(sandbox: Sandbox) -> Iterator[Client]:
    with httpx2_door(sandbox.handle), httpx2.Client(verify=NO_VERIFY) as client:
        yield SyncHttpx(sandbox.base_url, client, httpx2.TransportError)


@contextmanager
def _httpx2_async(sandbox: Sandbox) -> Iterator[Client]:
    with httpx2_door(sandbox.handle):
        yield AsyncHttpx(
            sandbox.base_url,
            lambda: httpx2.AsyncClient(verify=NO_VERIFY),
            httpx2.TransportError,
        )


@contextmanager
def _requests(sandbox: Sandbox) -> Iterator[Client]:
    with requests_door(sandbox.handle), requests.Session() as session:
        yield Requests(sandbox.base_url, session)


@contextmanager
def _asgi(sandbox: Sandbox) -> Iterator[Client]:
    transport = httpx.ASGITransport(asgi_app(sandbox.handle))
    # Without a server there is no connection to break: the app raises instead.
    yield AsyncHttpx(
        sandbox.base_url, lambda: httpx.AsyncClient(transport=transport), ConnectionResetError
    )


IN_PROCESS: dict[str, Opener] = {
    "httpx": _httpx,
    "httpx async": _httpx_async,
    "httpx2": _httpx2,
    "httpx2 async": _httpx2_async,
    "requests": _requests,
    "asgi": _asgi,
}
"""The doors in process that the contract suite runs over, by name."""

FIELDS_ARE_A_DICT = frozenset({"requests"})
"""Those whose client cannot send a header twice."""
