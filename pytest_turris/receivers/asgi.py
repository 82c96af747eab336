"""Posts to an ASGI application in this process, without a server or lifespan events."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import unquote

from pytest_turris.process.steady_clock import SteadyLoop
from pytest_turris.receivers.exchange import Post, WebhookResponse, fold_headers, response_to_error

AsgiMessage = MutableMapping[str, Any]
AsgiApp = Callable[
    [AsgiMessage, Callable[[], Awaitable[AsgiMessage]], Callable[[AsgiMessage], Awaitable[None]]],
    Awaitable[None],
]

_Result = TypeVar("_Result")


def post_asgi(app: AsgiApp, sent: Post) -> WebhookResponse:
    """Post from synchronous code.

    If an event loop runs in this thread, the application runs on another loop in another thread.
    """
    return _run_anywhere(apost_asgi(app, sent))


async def apost_asgi(app: AsgiApp, sent: Post) -> WebhookResponse:
    """Post on the running loop of asyncio or trio, and return when the application is done.

    Background tasks have run by then. If one raised, the status that was sent before stays, and
    the exception is in ``error``.
    """
    import anyio  # noqa: PLC0415 - httpx brings it; only this function needs it

    channels = _Channels(sent, anyio.Event())
    try:
        await app(_scope(sent), channels.receive, channels.send)
    except Exception as error:  # noqa: BLE001 - a server answers any exception with 500
        return channels.response(error)
    return channels.response(None)


def post_asgi_copies(app: AsgiApp, sent: Post, copies: int) -> list[WebhookResponse]:
    """Post several copies of a request at once, on one loop, as a server does."""

    async def all_at_once() -> list[WebhookResponse]:
        return await asyncio.gather(*(apost_asgi(app, sent) for _ in range(copies)))

    return _run_anywhere(all_at_once())


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
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()

    async def receive(self) -> AsgiMessage:
        if self._unread:
            return self._unread.pop()
        # Frameworks wait here while they respond, and stop at once if they read a disconnect.
        await self._done.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                self._done.set()

    def response(self, error: Exception | None) -> WebhookResponse:
        if not self._done.is_set():
            return response_to_error(error or RuntimeError("the application sent no response"))
        lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._headers]
        return WebhookResponse(
            status_code=self._status,
            headers=fold_headers(lines),
            body=bytes(self._body),
            error=error,
        )


def _scope(sent: Post) -> AsgiMessage:
    path, _, query = sent.app_path.partition("?")
    headers = [(name.lower(), value) for name, value in sent.raw_headers]
    length = str(len(sent.body)).encode()
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": sent.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"testserver"), *headers, (b"content-length", length)],
        "client": (sent.peer, 50000),
        "server": ("testserver", 80),
    }


def _run_anywhere(work: Coroutine[Any, Any, _Result]) -> _Result:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(work)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(contextvars.copy_context().run, _run, work).result()


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    # With a loop factory the runner does not touch the thread's current event loop.
    with asyncio.Runner(loop_factory=SteadyLoop) as runner:
        return runner.run(work)
