"""A cassette of the same shape as those of vcrpy, which the tests need not install."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Self
from unittest import mock

import httpx
import urllib3
from urllib3 import connection

_REAL = {
    kind: vars(kind)[name]
    for kind, name in (
        (httpx.HTTPTransport, "handle_request"),
        (httpx.MockTransport, "handle_request"),
        (httpx.AsyncHTTPTransport, "handle_async_request"),
    )
}
"""What transports do when no cassette plays and no door is open, taken when this is imported."""


def vcr_handle_request(cassette: "Cassette", real: Callable[..., Any]) -> Callable[..., Any]:
    """A transport's method that plays what was recorded, and sends the rest."""

    def handle_request(transport: object, request: httpx.Request) -> Any:  # noqa: ANN401 - as the original
        return cassette.played(request) or real(transport, request)

    return handle_request


def vcr_handle_async_request(
    cassette: "Cassette", real: Callable[..., Awaitable[Any]]
) -> Callable[..., Awaitable[Any]]:
    """The same for an async transport."""

    async def handle_async_request(transport: object, request: httpx.Request) -> Any:  # noqa: ANN401 - as the original
        return cassette.played(request) or await real(transport, request)

    return handle_async_request


class RecordedConnection(connection.HTTPConnection):
    """What urllib3's own connection is replaced with."""


class Cassette(AbstractContextManager["Cassette"]):
    """Plays these texts, by URL, and notes what it is asked for."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts
        self._patched = ExitStack()
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        for kind, real in _REAL.items():
            make = vcr_handle_async_request if "async" in real.__name__ else vcr_handle_request
            self._patch(kind, real.__name__, make(self, real))
        self._patch(connection, "HTTPConnection", RecordedConnection)
        self._patch(urllib3.HTTPConnectionPool, "ConnectionCls", RecordedConnection)
        self._patch(urllib3.HTTPConnectionPool, "_get_conn", _getting())
        return self

    def __exit__(self, *_: object) -> None:
        self._patched.close()

    def _patch(self, owner: object, name: str, replacement: object) -> None:
        self._patched.enter_context(mock.patch.object(owner, name, replacement))

    def played(self, request: httpx.Request) -> httpx.Response | None:
        """What was recorded for a request."""
        self.asked.append(str(request.url))
        text = self._texts.get(str(request.url))
        return None if text is None else httpx.Response(200, text=text)


def _getting() -> Callable[..., Any]:
    """How a pool gets its connections: none of another class than it is said to have."""
    original = urllib3.HTTPConnectionPool._get_conn

    def get_conn(pool: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        found = original(pool, *args, **kwargs)
        while not isinstance(found, pool.ConnectionCls):
            found = original(pool, *args, **kwargs)
        return found

    return get_conn
