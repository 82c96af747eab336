"""Posts to an ASGI application in this process, without a server."""

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import unquote

from pytest_turris.process import steady_clock
from pytest_turris.receivers.exchange import Post, WebhookResponse, fold_headers, response_to_error
from pytest_turris.receivers.in_process import django_database
from pytest_turris.receivers.in_process.event_loop import (
    is_through_portal,
    loop_is_running,
    run_async,
)
from pytest_turris.receivers.in_process.lifespan import ASGI_VERSION, AsgiApp, AsgiMessage, started
from pytest_turris.receivers.socket_post import TURRIS_TIMEOUT

_PATIENCE = 10.0
"""Real seconds for an application that waits for more of a body after its end."""

_OF_ANOTHER_LOOP = re.compile(r"different (?:event )?loop")

_Result = TypeVar("_Result")


def post_asgi(app: AsgiApp, sent: Post) -> WebhookResponse:
    """Post from synchronous code, on the event loop of the test.

    If an event loop runs in this thread, the application runs on the test's loop in another thread.

    Raises:
        TimeoutError: There was no answer in 30 s, or it waits for a body that was read before.
        StartupError: The start-up of the application failed.
        TransactionError: The application could not see the database of the test.
    """
    response = _run(app, lambda: apost_asgi(app, sent))
    error = response.error
    if error is None or not loop_is_running() or not _OF_ANOTHER_LOOP.search(str(error)):
        return response
    return replace(response, error=_hint_at_asend(error))


def _hint_at_asend(error: Exception) -> Exception:
    hinted = RuntimeError(
        f"{error}. The application uses something of the test's own event loop, but runs on "
        "another one. Fix: await webhook.asend(...)"
    )
    hinted.__cause__ = error
    return hinted


async def apost_asgi(app: AsgiApp, sent: Post) -> WebhookResponse:
    """Post on the running loop of asyncio or trio, and return when the application is done.

    The first request on a loop starts the application. Background tasks have run when this
    returns. If one raised, the status that was sent before stays, and the exception is in
    ``error``.

    Raises:
        TimeoutError: The application waits for a body that was read before.
        StartupError: The start-up of the application failed.
        TransactionError: The application could not see the database of the test.
    """
    import anyio  # noqa: PLC0415 - httpx brings it; only this function needs it

    django_database.require_same_thread(app)
    lifespan = await started(app)
    channels = _Channels(sent, anyio.Event())
    scope = _scope(sent)
    scope["state"] = dict(lifespan.state)
    try:
        await app(scope, channels.receive, channels.send)
    except Exception as error:  # noqa: BLE001 - a server answers any exception with 500
        return channels.response(error)
    return channels.response(None)


def post_asgi_copies(app: AsgiApp, sent: Post, copies: int) -> list[WebhookResponse]:
    """Post several copies of a request at once, on one loop, as a server does."""
    answers: list[WebhookResponse] = []
    errors: list[Exception] = []

    async def one() -> None:
        try:
            answers.append(await apost_asgi(app, sent))
        except Exception as error:  # noqa: BLE001 - raised below, not in a group
            errors.append(error)

    async def all_at_once() -> None:
        import anyio  # noqa: PLC0415 - httpx brings it; only this function needs it

        async with anyio.create_task_group() as group:
            for _ in range(copies):
                group.start_soon(one)

    _run(app, all_at_once)
    for error in errors:
        raise error
    return answers


def _run(app: AsgiApp, work: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    if django_database.transaction_is_open():
        if not loop_is_running():
            return django_database.in_this_thread(work)
        django_database.require_same_thread(app)
    return run_async(lambda: _bounded(work))


async def _bounded(work: Callable[[], Awaitable[_Result]]) -> _Result:
    """Wait as long as Turris does, in real time: what is slept passes at once."""
    if is_through_portal():
        return await work()
    try:
        async with asyncio.timeout(None) as deadline:
            cancel = steady_clock.call_really(TURRIS_TIMEOUT, lambda: deadline.reschedule(0))
            try:
                return await work()
            finally:
                cancel()
    except TimeoutError as error:
        raise TimeoutError(str(error) or f"no answer in {TURRIS_TIMEOUT:.0f} s") from error


class _Channels:
    """The two channels of an ASGI application, and the response that it sent."""

    def __init__(self, sent: Post, done: Any) -> None:  # noqa: ANN401 - anyio.Event, imported late
        pieces = [sent.body[: sent.split_at], sent.body[sent.split_at :]]
        if not sent.split_at:
            pieces = [sent.body]
        self._unread: list[AsgiMessage] = [
            {"type": "http.request", "body": piece, "more_body": number > 0}
            for number, piece in enumerate(reversed(pieces))
        ]
        self._done = done
        self._patience: threading.Timer | None = None
        self._gave_up = False
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()

    async def receive(self) -> AsgiMessage:
        if self._unread:
            return self._unread.pop()
        # Frameworks wait here while they respond, and stop at once if they read a disconnect.
        if not self._status and self._patience is None:
            self._patience = threading.Timer(_PATIENCE, _on_this_loop(self._give_up))
            self._patience.daemon = True
            self._patience.start()
        await self._done.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = list(message.get("headers", ()))
            self._stop_waiting()
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                self._done.set()

    def _give_up(self) -> None:
        if not self._status:  # pragma: no branch - else the answer began at the same moment
            self._gave_up = True
            self._done.set()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()

    def response(self, error: Exception | None) -> WebhookResponse:
        self._stop_waiting()
        if self._gave_up:
            raise TimeoutError(
                f"no answer in {_PATIENCE:.0f} s: the application waits for a body that was read "
                "before, by a middleware for example"
            )
        if not self._done.is_set():
            return response_to_error(error or RuntimeError("the application sent no response"))
        lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._headers]
        return WebhookResponse(
            status_code=self._status,
            headers=fold_headers(lines),
            body=bytes(self._body),
            error=error,
        )


def _on_this_loop(step: Callable[[], None]) -> Callable[[], object]:
    """A function that another thread calls to take a step on the running loop."""
    if loop_is_running():
        loop = asyncio.get_running_loop()
        return lambda: loop.call_soon_threadsafe(step)
    import trio  # noqa: PLC0415 - anyio runs on asyncio or on trio

    token = trio.lowlevel.current_trio_token()
    return lambda: token.run_sync_soon(step)


def _scope(sent: Post) -> AsgiMessage:
    path, _, query = sent.app_path.partition("?")
    headers = [(name.lower(), value) for name, value in sent.raw_headers]
    length = str(len(sent.body)).encode()
    return {
        "type": "http",
        "asgi": ASGI_VERSION,
        "http_version": "1.1",
        "method": sent.method,
        "scheme": sent.app_scheme,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", sent.app_host.encode()), *headers, (b"content-length", length)],
        "client": (sent.peer, 50000),
        "server": sent.server,
    }
