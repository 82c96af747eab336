"""Bodies that are sent at the same time take up a bounded amount of memory."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from doubles.served_here import served

from mock_server.serving import server
from mock_server.serving.bodies import bounded_bodies
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.sockets.asgi import App, Message, asgi_app

KIB = 1024
ROOM = 300 * KIB


class Sender:
    """A client that sends its body in parts, when it is told to."""

    def __init__(self, app: App) -> None:
        self._parts: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        scope = {
            "type": "http", "method": "POST", "path": "/v1/agents", "query_string": b"",
            "headers": [],
        }  # fmt: skip
        self._answered = asyncio.ensure_future(app(scope, self._parts.get, self._send))

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    async def send(self, size: int, *, more: bool = True) -> None:
        """Send a part, and let the server read it."""
        await self._parts.put({"type": "http.request", "body": b"b" * size, "more_body": more})
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def status(self) -> int:
        """The status of the answer."""
        await self._answered
        return int(self.sent[0]["status"])


def length(request: Request) -> Response:
    """Answer with the length of the body."""
    return Response(status=200, body=str(len(request.body)).encode())


def run(trial: Callable[[App], Awaitable[None]]) -> None:
    """Try an application with little room."""

    async def tried() -> None:
        await trial(bounded_bodies(asgi_app(length), ROOM))

    asyncio.run(tried())


def test_body_beyond_the_room_is_refused_until_others_are_done() -> None:
    """The answer says when to try again; then there is room."""

    async def trial(app: App) -> None:
        slow, late = Sender(app), Sender(app)
        await slow.send(200 * KIB)
        await late.send(200 * KIB)
        assert await late.status() == 503
        assert (b"retry-after", b"1") in late.sent[0]["headers"]
        assert (b"x-content-type-options", b"nosniff") in late.sent[0]["headers"]
        await slow.send(50 * KIB, more=False)
        assert await slow.status() == 200
        again = Sender(app)
        await again.send(250 * KIB, more=False)
        assert await again.status() == 200
        assert again.sent[1]["body"] == str(250 * KIB).encode()

    run(trial)


def test_short_body_is_read_although_there_is_no_room() -> None:
    """Clients with usual bodies do not notice those that send long ones slowly."""

    async def trial(app: App) -> None:
        slow, usual = Sender(app), Sender(app)
        await slow.send(ROOM)
        await usual.send(2 * KIB, more=False)
        assert await usual.status() == 200
        await slow.send(0, more=False)
        assert await slow.status() == 200

    run(trial)


def test_body_that_breaks_off_makes_room() -> None:
    """A client that hangs up in the middle of its body holds nothing any more."""

    async def trial(app: App) -> None:
        gone, late = Sender(app), Sender(app)
        await gone.send(ROOM)
        await gone._parts.put({"type": "http.disconnect"})
        await gone._answered
        await late.send(ROOM, more=False)
        assert await late.status() == 200

    run(trial)


def test_server_bounds_the_bodies_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """The served sandbox answers a body that is too much with a 503, logs that, and goes on."""
    monkeypatch.setattr(server, "bounded_bodies", lambda app, **to: bounded_bodies(app, ROOM, **to))
    log: list[str] = []
    with served(log=log) as running:
        url = f"{running.base_url}/v1/agents"
        assert httpx.post(url, content=b"b" * 2_000 * KIB).status_code == 503
        assert httpx.post(url, content=b"b" * KIB).status_code == 401
    assert "warning: POST /v1/agents -> 503  Too many long bodies are sent at the same time" in log
