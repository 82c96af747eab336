"""What every client of the contract suite has in common."""

import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

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


async def in_turn(chunks: list[bytes]) -> AsyncIterator[bytes]:
    """A body of chunks for an async client."""
    for chunk in chunks:
        yield chunk
