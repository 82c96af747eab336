"""ASGI applications are started once on each loop, and shut down at the end of the test."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import pytest
import starlette.applications
import starlette.requests
import starlette.responses
import starlette.routing
from anyio.lowlevel import checkpoint, current_token
from doubles.consumer_project import Project

from pytest_turris.receivers.exchange import Post
from pytest_turris.receivers.in_process.asgi import post_asgi_copies
from pytest_turris.receivers.in_process.event_loop import close_loop, run_async
from pytest_turris.receivers.in_process.lifespan import StartupError
from pytest_turris.webhooks.factory import WebhookFactory

POST = Post(headers=(), body=b"{}")


class App:
    """A Starlette application that writes down what happens to it."""

    def __init__(self, *, startup: Callable[[], object] = lambda: None) -> None:
        self.events: list[str] = []
        self._startup = startup
        route = starlette.routing.Route("/", self._receive, methods=["POST"])
        self.asgi = starlette.applications.Starlette(routes=[route], lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, app: object) -> AsyncIterator[dict[str, Any]]:
        self._startup()
        await checkpoint()
        self.events.append("startup")
        yield {"bodies": [], "loop": current_token()}
        await checkpoint()
        self.events.append("shutdown")

    async def _receive(self, request: starlette.requests.Request) -> starlette.responses.Response:
        request.state.bodies.append(await request.body())
        same = request.state.loop == current_token()
        self.events.append(f"request {same}")
        return starlette.responses.Response(status_code=204)


@pytest.fixture(autouse=True)
def _own_loop() -> Iterator[None]:
    """Each of these tests begins and ends without a loop."""
    close_loop()
    yield
    close_loop()


def test_sync_requests_share_one_start_up(webhooks: WebhookFactory) -> None:
    """Several requests of a test reach the application between one start-up and one shutdown."""
    app = App()
    for _ in range(2):
        assert webhooks.sign(b"{}").send(app.asgi).status_code == 204
    assert [answer.status_code for answer in post_asgi_copies(app.asgi, POST, 3)] == [204] * 3
    close_loop()
    assert app.events == ["startup", *["request True"] * 5, "shutdown"]


def test_requests_of_a_coroutine_share_one_start_up(webhooks: WebhookFactory) -> None:
    """On the test's own loop too; when that is closed, the application shuts down."""
    app = App()

    async def deliver() -> None:
        for _ in range(2):
            assert (await webhooks.sign(b"{}").asend(app.asgi)).accepted

    asyncio.run(deliver())
    assert app.events == ["startup", "request True", "request True", "shutdown"]


def test_a_loop_that_stays_open_is_no_hindrance(webhooks: WebhookFactory) -> None:
    """A loop of the session outlives its tests, and the application is shut down before."""
    app = App()
    with asyncio.Runner() as runner:
        assert runner.run(webhooks.sign(b"{}").asend(app.asgi)).accepted
        close_loop()
        assert app.events[-1] == "shutdown"


def test_sync_request_inside_a_loop(webhooks: WebhookFactory) -> None:
    """``send`` in a coroutine reaches the application on the test's other loop."""
    app = App()

    async def deliver() -> None:
        for _ in range(2):
            assert webhooks.sign(b"{}").send(app.asgi).accepted

    asyncio.run(deliver())
    assert webhooks.sign(b"{}").send(app.asgi).accepted
    close_loop()
    assert app.events == ["startup", *["request True"] * 3, "shutdown"]


@pytest.mark.parametrize("fails", [False, True])
def test_trio(webhooks: WebhookFactory, *, fails: bool) -> None:
    """On trio the application shuts down when the loop ends, and may still wait for something."""
    events: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": f"lifespan.startup.{'failed' if fails else 'complete'}"})
            events.append((await receive())["type"])
            await anyio.sleep(0.001)
            events.append("waited")
            return
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    async def deliver() -> int:
        return (await webhooks.sign(b"{}").asend(app)).status_code

    if fails:
        with pytest.raises(StartupError, match="it gave no reason"):
            anyio.run(deliver, backend="trio")
    else:
        assert anyio.run(deliver, backend="trio") == 204
    assert events == ["lifespan.shutdown", "waited"]


def test_failed_start_up_says_so(webhooks: WebhookFactory) -> None:
    """Nothing is sent to an application whose start-up failed, and each request says why."""
    app = App(startup=lambda: 1 // 0)
    for _ in range(2):
        with pytest.raises(StartupError, match="failed: ZeroDivisionError"):
            webhooks.sign(b"{}").send(app.asgi)
    assert app.events == []


def test_start_up_that_does_not_end(
    webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request waits as long as Turris does; the next ones know."""
    monkeypatch.setattr("pytest_turris.receivers.in_process.asgi.TURRIS_TIMEOUT", 0.05)
    monkeypatch.setattr("pytest_turris.receivers.in_process.lifespan.TURRIS_TIMEOUT", 0.05)

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError, match="no answer in 0 s"):
        webhooks.sign(b"{}").send(app)
    monkeypatch.setattr("pytest_turris.receivers.in_process.asgi.TURRIS_TIMEOUT", 30.0)
    with pytest.raises(StartupError, match="did not end in 0 s"):
        webhooks.sign(b"{}").send(app)


def test_failed_start_up_is_a_failed_delivery(project: Project) -> None:
    """``drain`` and an attack report it, and do not raise."""
    project.files("""
        import starlette.applications, contextlib, pytest

        @contextlib.asynccontextmanager
        async def lifespan(app):
            raise OSError("no database")
            yield

        app = starlette.applications.Starlette(lifespan=lifespan)

        def test_drain(turris, turris_webhooks):
            turris_webhooks.register(app, event="PRODUCER_AGREEMENT_EXECUTED")
            turris.execute_agreement(turris.associations.add())
            assert turris_webhooks.drain().failed == 1
            assert "no database" in turris_webhooks.attempts[0].error

        def test_attack(turris_webhook_attack):
            with pytest.raises(AssertionError, match="no database"):
                turris_webhook_attack.run(app)
    """)
    project.run("-k", "drain or WH-01").assert_outcomes(passed=2)


def test_application_shuts_down_before_the_fixtures_of_its_test(project: Project) -> None:
    """What the application uses is still there, and the next test starts it again."""
    project.files("""
        import starlette.applications, starlette.responses, starlette.routing, contextlib, pytest

        events = []

        @contextlib.asynccontextmanager
        async def lifespan(app):
            events.append("startup")
            yield
            events.append("shutdown")

        def receive(request):
            return starlette.responses.Response()

        app = starlette.applications.Starlette(
            lifespan=lifespan, routes=[starlette.routing.Route("/", receive, methods=["POST"])]
        )

        @pytest.fixture
        def database():
            yield
            events.append("database closed")

        @pytest.mark.parametrize("n", [1, 2])
        def test_send(turris_webhooks, database, n):
            assert turris_webhooks.producer_agreement_executed().send(app).accepted

        def test_order():
            assert events == ["startup", "shutdown", "database closed"] * 2
    """)
    project.run().assert_outcomes(passed=3)


def test_receiver_that_sends_a_webhook_itself(webhooks: WebhookFactory) -> None:
    """A loop that is in use is not waited for: the inner request has a loop of its own."""
    inner = App()

    async def outer(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        if scope["type"] == "lifespan":
            raise ValueError
        answer = webhooks.sign(b"{}").send(inner.asgi)
        await send({"type": "http.response.start", "status": answer.status_code})
        await send({"type": "http.response.body"})

    assert webhooks.sign(b"{}").send(outer).status_code == 204
    assert inner.events == ["startup", "request True", "shutdown"]


def test_work_that_goes_on_after_the_answer(webhooks: WebhookFactory) -> None:
    """A task that the application left running goes on with the next use of the loop."""
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.001)
        done.append("done")

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        if scope["type"] == "lifespan":
            return
        app.task = asyncio.create_task(work())  # type: ignore[attr-defined]  # kept from the collector
        await send({"type": "http.response.start", "status": 202})
        await send({"type": "http.response.body"})

    assert webhooks.sign(b"{}").send(app).accepted
    assert done == []
    run_async(lambda: asyncio.sleep(0.01))
    assert done == ["done"]


def drained(app: Any) -> Any:  # noqa: ANN401 - ASGI's own
    """A middleware that reads the body, and gives the application the same channel."""

    async def middleware(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        if scope["type"] == "http":
            await receive()
        await app(scope, receive, send)

    return middleware


@pytest.mark.parametrize("library", ["", "asyncio", "trio"])
def test_body_that_a_middleware_read_ends_the_wait(
    webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """An application that waits for a body without an end is given up, and the error says why."""
    monkeypatch.setattr("pytest_turris.receivers.in_process.asgi._PATIENCE", 0.05)
    webhook, app = webhooks.sign(b"{}"), drained(App().asgi)
    asend = partial(webhook.asend, app)
    send = partial(anyio.run, asend, backend=library) if library else partial(webhook.send, app)
    with pytest.raises(TimeoutError, match="waits for a body that was read before"):
        send()


def test_slow_answer_after_the_body_is_waited_for(
    webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An application that listens for the end of the connection while it works is left alone."""
    monkeypatch.setattr("pytest_turris.receivers.in_process.asgi._PATIENCE", 0.5)

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        if scope["type"] == "lifespan":
            return
        await receive()
        listener = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 202})
        await asyncio.sleep(0.6)
        await send({"type": "http.response.body"})
        assert (await listener)["type"] == "http.disconnect"

    assert webhooks.sign(b"{}").send(app).status_code == 202
