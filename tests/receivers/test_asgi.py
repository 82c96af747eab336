"""ASGI applications: loops, channels, streams, background tasks and copies."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
import starlette.applications
import starlette.background
import starlette.responses
import starlette.routing
from doubles.receivers.kinds import PATH, BrokenError, Verify, listening, raw_asgi_app
from freezegun import freeze_time

from pytest_turris.receivers.exchange import Post, WebhookResponse
from pytest_turris.receivers.in_process.asgi import post_asgi_copies
from pytest_turris.receivers.target import Target
from pytest_turris.webhooks.factory import WebhookFactory


def test_trio(webhooks: WebhookFactory, verify: Verify) -> None:
    """An ASGI application and a URL are reached from trio too."""
    pytest.importorskip("trio")

    async def deliver(target: object) -> int:
        return (await webhooks.sign(b"{}").asend(target, PATH)).status_code

    assert anyio.run(deliver, raw_asgi_app(verify), backend="trio") == 204
    with listening(verify) as url:
        assert anyio.run(deliver, url, backend="trio") == 204


def test_streams_and_background_tasks(webhooks: WebhookFactory) -> None:
    """A streamed answer arrives whole, and background tasks have run when it is returned."""
    ran: list[str] = []

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(3):
            await asyncio.sleep(0.001)
            yield b"%d" % number

    def receive(request: object) -> starlette.responses.Response:
        task = starlette.background.BackgroundTask(ran.append, "task")
        return starlette.responses.StreamingResponse(chunks(), background=task)

    app = starlette.applications.Starlette(
        routes=[starlette.routing.Route("/", receive, methods=["POST"])]
    )
    with freeze_time("2025-03-17"):
        answer = webhooks.sign(b"{}").send(app)
    assert answer.body == b"012"
    assert ran == ["task"]


def test_a_frozen_clock_does_not_stop_timers(webhooks: WebhookFactory) -> None:
    """An application's timers run while the test's clock is stopped, in and outside a loop."""

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        await asyncio.sleep(0.001)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def within() -> WebhookResponse:
        return webhooks.sign(b"{}").send(app)

    with freeze_time("2025-03-17"):
        assert webhooks.sign(b"{}").send(app).accepted
        assert asyncio.run(within()).accepted


def test_asgi_channels(webhooks: WebhookFactory) -> None:
    """After the body, receive() waits for the end of the answer and then says disconnect."""
    seen: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        if scope["type"] != "http":
            raise ValueError(scope["type"])
        seen.append(await receive())
        listener = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not listener.done()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"X-A", b"\xe9")]})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.debug", "info": {}})
        await send({"type": "http.response.body", "body": b"b"})
        seen.append(await listener)

    answer = webhooks.sign(b"{}").send(app)
    assert (answer.body, answer.headers) == (b"ab", {"x-a": "é"})
    assert [message["type"] for message in seen] == ["http.request", "http.disconnect"]
    assert seen[0] == {"type": "http.request", "body": b"{}", "more_body": False}


def test_current_event_loop_is_left_alone(webhooks: WebhookFactory, verify: Verify) -> None:
    """A synchronous delivery does not take away the loop that a test has set."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        assert webhooks.sign(b"{}").send(raw_asgi_app(verify), PATH).accepted
        assert asyncio.get_event_loop() is loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_failing_background_tasks(webhooks: WebhookFactory) -> None:
    """What happens after the answer does not change its status, but is in the error."""

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": b"queued"})
        raise BrokenError

    answer = webhooks.sign(b"{}").send(app)
    assert (answer.status_code, answer.text) == (202, "queued")
    assert isinstance(answer.error, BrokenError)


async def echo(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
    """Respond with the number of messages that the body came in, and the body."""
    pieces = [await receive()]
    while pieces[-1]["more_body"]:
        pieces.append(await receive())
    body = b"%d " % len(pieces) + b"".join(piece["body"] for piece in pieces)
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": body})


def test_body_in_two_messages() -> None:
    """A body that is cut arrives in two messages, and otherwise in one."""
    target = Target.of(echo)
    assert target.post(Post(headers=(), body=b"abc", split_at=1)).body == b"2 abc"
    assert target.post(Post(headers=(), body=b"abc")).body == b"1 abc"


def test_copies_run_at_the_same_time() -> None:
    """Each copy is under way before one of them is answered."""
    all_under_way = asyncio.Barrier(3)

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        if scope["type"] != "http":
            raise ValueError(scope["type"])
        await all_under_way.wait()
        await echo(scope, receive, send)

    answers = post_asgi_copies(app, Post(headers=(), body=b"a"), 3)
    assert [answer.body for answer in answers] == [b"1 a"] * 3


@pytest.mark.parametrize("own", [True, False])
def test_objects_of_the_tests_loop_get_a_hint(webhooks: WebhookFactory, own: bool) -> None:
    """Sync code in an async test runs the application on another loop: its error names asend."""

    async def main() -> WebhookResponse:
        awaited = asyncio.get_running_loop().create_future()

        async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
            if scope["type"] == "http":
                await receive()
                await (awaited if own else asyncio.sleep(0))
                raise ValueError("of the application")

        return webhooks.producer_agreement_executed().send(app, "/")

    error = asyncio.run(main()).error
    assert isinstance(error, RuntimeError if own else ValueError)
    assert ("await webhook.asend(...)" in str(error)) == own
    assert (error.__cause__ is not None) == own
