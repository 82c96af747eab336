"""The ASGI application itself, as a server calls it."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.sockets.asgi import Receive, Scope, Send, asgi_app


async def call(scope: Scope, receive: Receive, send: Send) -> None:
    """Call the application once."""
    await asgi_app(Sandbox().handle)(scope, receive, send)


def test_lifespan_is_answered() -> None:
    """Start-up and shutdown complete, as the ASGI specification asks."""
    asked = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return asked.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    asyncio.run(call({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_websocket_is_refused() -> None:
    """The sandbox speaks HTTP; the error says so."""

    async def receive() -> dict[str, str]:
        raise AssertionError("nothing is read")

    async def send(_: object) -> None:
        raise AssertionError("nothing is written")

    with pytest.raises(NotImplementedError, match="HTTP, not websocket"):
        asyncio.run(call({"type": "websocket"}, receive, send))


def test_endless_body_is_read_in_part() -> None:
    """A little more than the bound, so that the application sees that it is too long."""
    got: list[int] = []

    def answer(request: Request) -> Response:
        got.append(len(request.body))
        return Response(status=413)

    async def trial() -> None:
        read = 0
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> dict[str, Any]:
            nonlocal read
            read += 1
            assert read < 100
            return {"type": "http.request", "body": b"b" * 1_000, "more_body": True}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [],
        }  # fmt: skip
        await asgi_app(answer, max_body=5_000)(scope, receive, send)
        assert sent[0]["status"] == 413

    asyncio.run(trial())
    assert got == [6_000]
