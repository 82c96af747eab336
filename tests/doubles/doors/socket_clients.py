"""Clients of a live server that live in this process: aiohttp, urllib3, urllib."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

import aiohttp
import urllib3
from multidict import CIMultiDict
from yarl import URL

from pytest_turris.doors.sockets.pool import Server

from .clients import Answer, Fields, in_turn

MAX_SECONDS = 10


@dataclass
class Aiohttp:
    """``aiohttp.ClientSession``, in an event loop of its own for each request."""

    server: Server
    broken: type[Exception] = aiohttp.ClientError

    def __post_init__(self) -> None:
        self._trusted = self.server.client_context()

    def send(
        self, method: str, target: str, headers: Fields = (), body: bytes | list[bytes] = b""
    ) -> Answer:
        """Send a request and read the answer in pieces."""
        return asyncio.run(self._send(method, target, headers, body))

    async def _send(
        self, method: str, target: str, headers: Fields, body: bytes | list[bytes]
    ) -> Answer:
        connector = aiohttp.TCPConnector(ssl=self._trusted)
        timeout = aiohttp.ClientTimeout(MAX_SECONDS)
        data = in_turn(body) if isinstance(body, list) else BytesIO(body) if body else None
        url = URL(self.server.base_url + target, encoded=True)
        fields = CIMultiDict(headers)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            # It sends a request again if the connection breaks; its own tests switch that off.
            session._retry_connection = False
            async with session.request(method, url, headers=fields, data=data) as answer:
                received = b"".join([chunk async for chunk in answer.content.iter_chunked(7)])
        return Answer(answer.status, _lower(answer.headers.items()), received)


@dataclass
class Urllib3:
    """``urllib3.PoolManager``."""

    server: Server
    broken: type[Exception] = urllib3.exceptions.HTTPError

    def __post_init__(self) -> None:
        self._pool = urllib3.PoolManager(
            ca_certs=self.server.ca_file, timeout=MAX_SECONDS, retries=False
        )

    def send(
        self, method: str, target: str, headers: Fields = (), body: bytes | list[bytes] = b""
    ) -> Answer:
        """Send a request and read the answer in pieces."""
        answer = self._pool.request(
            method,
            self.server.base_url + target,
            headers=urllib3.HTTPHeaderDict(headers),
            body=iter(body) if isinstance(body, list) else body or None,
            preload_content=False,
        )
        received = b"".join(answer.stream(7))
        answer.release_conn()
        return Answer(answer.status, _lower(answer.headers.iteritems()), received)

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.clear()


@dataclass
class Urllib:
    """``urllib.request``, of the standard library."""

    server: Server
    broken: type[Exception] = OSError

    def __post_init__(self) -> None:
        self._trusted = self.server.client_context()

    def send(
        self, method: str, target: str, headers: Fields = (), body: bytes | list[bytes] = b""
    ) -> Answer:
        """Send a request; what urllib takes for an error is an answer too."""
        request = urllib.request.Request(
            self.server.base_url + target,
            method=method,
            headers=dict(headers),
            data=iter(body) if isinstance(body, list) else body or None,
        )
        try:
            answer = urllib.request.urlopen(request, timeout=MAX_SECONDS, context=self._trusted)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Answer(answer.status, _lower(answer.headers.items()), answer.read())


def _lower(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in fields]
