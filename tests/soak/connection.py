"""A client's connection: one request at a time, as cheap as Python can send it."""

import asyncio
import json
from typing import Any, Self


class SoakError(Exception):
    """The server answered what it should not, or not at all."""


class Connection(asyncio.Protocol):
    """One persistent connection to the server."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.sent: int = 0
        """How many requests were answered."""

    @classmethod
    async def to(cls, port: int) -> Self:
        """A connection to a port of this machine."""
        _, made = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Give a complete answer to what waits for it."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if end and len(body) >= _length(head) and self._answer:
            self._received = b""
            self._answer.set_result((int(head.split(b" ", 2)[1]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what waits for an answer."""
        if self._answer and not self._answer.done():
            self._answer.set_exception(SoakError(f"the server closed a connection: {exc!r}"))

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        answer = await self._answer
        self.sent += 1
        return answer

    async def call(self, method: str, path: str, token: str = "", body: object = None) -> Any:
        """The JSON of the answer to a request with JSON; SoakError if the status is no 2xx."""
        status, answer = await self.send(request_of(method, path, token, body))
        if not 200 <= status < 300:
            raise SoakError(f"{method} {path}: {status} {answer.decode()[:300]}")
        return json.loads(answer) if answer else None

    def abort(self) -> None:
        """Reset the connection, as a killed process does."""
        self._transport.abort()


def request_of(method: str, path: str, token: str = "", body: object = None) -> bytes:
    """The bytes of a request."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
