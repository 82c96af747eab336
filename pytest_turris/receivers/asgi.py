"""Posts to an ASGI application in this process, without a server and without lifespan events."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import unquote

from pytest_turris.process.steady_clock import SteadyLoop
from pytest_turris.receivers.exchange import Post, WebhookAnswer, folded, raised

AsgiMessage = MutableMapping[str, Any]
App = Callable[
    [AsgiMessage, Callable[[], Awaitable[AsgiMessage]], Callable[[AsgiMessage], Awaitable[None]]],
    Awaitable[None],
]

_Result = TypeVar("_Result")


def post(app: App, sent: Post) -> WebhookAnswer:
    """Post from synchronous code, also while an event loop runs in this thread.

    In that case the application runs on a loop of its own, in another thread.
    """
    return _run_anywhere(apost(app, sent))


async def apost(app: App, sent: Post) -> WebhookAnswer:
    """Post on the running loop, asyncio's or trio's; return when the application is done.

    So background tasks have run too. What they raise is in ``error``, next to the status that
    was already sent.
    """
    import anyio  # noqa: PLC0415 - httpx brings it; only this function needs it

    conversation = _Conversation(sent, anyio.Event())
    try:
        await app(_scope(sent), conversation.receive, conversation.send)
    except Exception as error:  # noqa: BLE001 - whatever it is, a server answers 500
        return conversation.answer(error)
    return conversation.answer(None)


def post_many(app: App, sent: Post, copies: int) -> list[WebhookAnswer]:
    """Post the same several times at once, on one loop, as a server does."""

    async def all_at_once() -> list[WebhookAnswer]:
        return await asyncio.gather(*(apost(app, sent) for _ in range(copies)))

    return _run_anywhere(all_at_once())


class _Conversation:
    """The two channels of an ASGI application, and what it said on them."""

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
        # Frameworks listen here while they answer, and take a disconnect for an order to stop.
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

    def answer(self, error: Exception | None) -> WebhookAnswer:
        if not self._done.is_set():
            return raised(error or RuntimeError("the application ended without an answer"))
        lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._headers]
        return WebhookAnswer(
            status_code=self._status, headers=folded(lines), body=bytes(self._body), error=error
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
    # With a loop factory the runner leaves the thread's current event loop alone.
    with asyncio.Runner(loop_factory=SteadyLoop) as runner:
        return runner.run(work)
