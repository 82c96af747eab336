"""Applications in this process under time travel: only what a request waits for moves the clock."""

import asyncio
import contextlib
import datetime as dt
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks
from pytest_turris.time_travel.event_loops import idle_loops
from pytest_turris.time_travel.travel import TimeTravel
from pytest_turris.webhooks.factory import WebhookFactory

SECOND = dt.timedelta(seconds=1)
pytestmark = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=pytest.mark.turris(time_engine=name))
        for name in ("freezegun", "time-machine")
    ],
)
Handler = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]


def application(handler: Handler, beats: list[float] | None = None) -> Starlette:
    """An application whose handler waits, next to a heartbeat if there is a list for its beats."""

    async def beat() -> None:
        while beats is not None:
            beats.append(time.time())
            await asyncio.sleep(600)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(beat())
        yield
        task.cancel()

    return Starlette(lifespan=lifespan, routes=[Route("/", handler, methods=["POST"])])


async def answer(_: Request) -> Response:
    """Answer at once."""
    return Response()


async def sleep_in_a_task(_: Request) -> Response:
    """Answer after 1,500 seconds."""
    await asyncio.sleep(1500)
    return Response()


def sleep_in_a_thread(_: Request) -> Response:
    """The same in a thread of anyio's pool."""
    time.sleep(1500)
    return Response()


async def wait_for_a_thread(_: Request) -> Response:
    """The same in a thread of asyncio's pool."""
    await asyncio.to_thread(time.sleep, 1500)
    return Response()


async def wait_until_a_deadline(_: Request) -> Response:
    """The same by a deadline around a longer sleep."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1500):
            await asyncio.sleep(9000)
    return Response()


def send(app: Starlette, webhooks: WebhookFactory) -> None:
    """Send a webhook from a synchronous test."""
    assert webhooks.producer_agreement_executed().send(app).status_code == 200


def send_beside_a_loop(app: Starlette, webhooks: WebhookFactory) -> None:
    """Send one from a coroutine, without await."""

    async def main() -> None:
        send(app, webhooks)

    asyncio.run(main())


@pytest.mark.parametrize("deliver", [send, send_beside_a_loop])
def test_task_of_an_application_never_moves_the_clock(
    engine: str,
    deliver: Callable[..., None],
    turris_webhooks: TurrisWebhooks,
    turris_time: TimeTravel,
) -> None:
    """Requests are answered at once, however soon a heartbeat next to them is due."""
    app, before = application(answer, []), turris_time.now
    for _ in range(3):
        deliver(app, turris_webhooks)
    assert (turris_time.now, turris_time.slept) == (before, 0 * SECOND)


def test_delivery_to_an_application_with_a_heartbeat(
    engine: str, turris: Sandbox, turris_webhooks: TurrisWebhooks, turris_time: TimeTravel
) -> None:
    """``drain`` does not move the clock either."""
    before = turris_time.now
    turris_webhooks.register(application(answer, []), event="PRODUCER_AGREEMENT_EXECUTED")
    for _ in range(3):
        turris.execute_agreement(turris.associations.add())
        assert turris_webhooks.drain().delivered == 1
    assert turris_time.now == before


@pytest.mark.parametrize(
    "handler", [sleep_in_a_task, sleep_in_a_thread, wait_for_a_thread, wait_until_a_deadline]
)
@pytest.mark.parametrize("deliver", [send, send_beside_a_loop])
def test_what_a_request_waits_for_moves_the_clock(
    engine: str,
    deliver: Callable[..., None],
    handler: Handler,
    turris_webhooks: TurrisWebhooks,
    turris_time: TimeTravel,
) -> None:
    """It moves as far as the handler waits, and a heartbeat next to it beats on the way."""
    beats: list[float] = []
    app, before = application(handler, beats), turris_time.now
    deliver(app, turris_webhooks)
    assert turris_time.now - before == 1500 * SECOND
    assert [at - before.timestamp() for at in beats] == [0, 600, 1200]


def test_answer_is_waited_for_in_real_time(
    engine: str,
    turris_webhooks: TurrisWebhooks,
    turris_time: TimeTravel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sleep of any length has an answer; a handler that hangs is given up, and time stands."""
    webhook = turris_webhooks.producer_agreement_executed()
    assert webhook.send(application(sleep_in_a_task)).accepted

    async def hang(_: Request) -> Response:
        await asyncio.Event().wait()
        return Response()

    monkeypatch.setattr("pytest_turris.receivers.in_process.asgi.TURRIS_TIMEOUT", 0.05)
    before = turris_time.now
    with pytest.raises(TimeoutError, match="no answer in 0 s"):
        webhook.send(application(hang))
    assert turris_time.now == before


async def sleep_on() -> None:
    """Wait for the clock in a task."""
    await asyncio.sleep(30)


async def await_a_timer() -> None:
    """Wait for a timer of the loop."""
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(30, future.set_result, None)
    await future


async def await_a_deadline() -> None:
    """Wait for a deadline."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 30)


@pytest.mark.parametrize("wait", [sleep_on, await_a_timer, await_a_deadline])
@pytest.mark.parametrize("move", ["advance", "move_to"])
def test_tasks_of_an_application_run_at_each_moment(
    engine: str,
    wait: Callable[[], Awaitable[None]],
    move: str,
    turris_webhooks: TurrisWebhooks,
    turris_time: TimeTravel,
) -> None:
    """What a request left running wakes whenever it is due while the test moves the clock."""
    tasks, woke, before = list[asyncio.Task[None]](), list[dt.timedelta](), turris_time.now

    async def work() -> None:
        for _ in range(4):
            await wait()
            woke.append(turris_time.now - before)

    async def begin(_: Request) -> Response:
        tasks.append(asyncio.create_task(work()))
        return Response()

    send(application(begin), turris_webhooks)
    if move == "advance":
        turris_time.advance(seconds=100)
    else:
        turris_time.move_to(before + 100 * SECOND)
    assert woke == [30 * SECOND, 60 * SECOND, 90 * SECOND]
    turris_time.advance(seconds=20)
    assert woke[3:] == [120 * SECOND]
    assert turris_time.now - before == 120 * SECOND


def test_task_that_wakes_too_often(
    engine: str,
    turris_webhooks: TurrisWebhooks,
    turris_time: TimeTravel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The number of its turns within one move is bounded, and the clock arrives."""
    monkeypatch.setattr(idle_loops, "MAX_TURNS", 100)
    tasks, before = list[asyncio.Task[None]](), turris_time.now

    async def work() -> None:
        for _ in itertools.count():
            await asyncio.sleep(1e-6)

    async def begin(_: Request) -> Response:
        tasks.append(asyncio.create_task(work()))
        return Response()

    send(application(begin), turris_webhooks)
    turris_time.advance(hours=1)
    assert turris_time.now - before == 3600 * SECOND


def test_slow_answer_does_not_run_the_tasks_of_an_application(
    engine: str, turris: Sandbox, turris_webhooks: TurrisWebhooks, turris_time: TimeTravel
) -> None:
    """The client that waits for it may hold a lock that such a task needs."""
    beats, before = list[float](), turris_time.now
    send(application(answer, beats), turris_webhooks)
    turris.faults.add("jwks", delay=900)
    assert httpx.get(f"{turris.base_url}/.well-known/jwks.json", timeout=1000).status_code == 200
    assert (turris_time.now - before, len(beats)) == (900 * SECOND, 1)
    turris_time.advance(seconds=1)
    assert len(beats) == 2
