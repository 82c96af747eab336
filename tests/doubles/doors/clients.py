import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import requests

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


async def in_turn(chunks: list[bytes]) -> AsyncIterator[bytes]:
    """A body of chunks for an async client."""
    for chunk in chunks:
        yield chunk
