"""The doors for httpx and httpx2: one respx router that answers for all Turris hosts.

It answers where a client hands a request to its transport; respx's own mocks answer one layer
below, in httpcore. So the sandbox always answers for Turris hosts, whichever mock began first,
and every other request goes on to the user's mocks or to the network. httpx2 is httpx under
another name: its door is the same one for another library.
"""

import contextlib
import datetime as dt
import sys
from collections.abc import Callable
from functools import cache, lru_cache, partial
from http.client import responses as reasons
from types import ModuleType
from typing import Any

import httpx
import respx
from anyio.lowlevel import checkpoint

from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Fields, Request, Response
from pytest_turris.doors.in_process.cookies import quick_cookies
from pytest_turris.doors.in_process.loopback import register_loopback, unregister_loopback
from pytest_turris.doors.in_process.mocks import MocksStepAside, patch_of_vcr
from pytest_turris.doors.in_process.proxies import quick_proxies
from pytest_turris.doors.in_process.sharing import (
    empty_answer,
    is_ours,
    timeout_message,
    yield_to_other_threads,
)
from pytest_turris.process.patch import Patch

_TURNS = 5
"""Of an event loop, until a deadline that is due has cancelled a task: ``asyncio.timeout`` needs
two, ``asyncio.wait_for`` three, and each task in between one more."""


def httpx_door(handle: Handle) -> contextlib.AbstractContextManager[None]:
    """Answer every httpx client, sync and async, while the context is open."""
    return _HttpxDoor(sys.modules["httpx"], handle)


def httpx2_door(handle: Handle) -> contextlib.AbstractContextManager[None]:
    """Answer every httpx2 client, sync and async, while the context is open."""
    return _Door(sys.modules["httpx2"], handle)


class _Transports:
    """The two transports of a library, patched while it has a router.

    respx's own mockers are not used: they take 2 ms for each test and ten calls for each request.
    """

    def __init__(self, library: ModuleType) -> None:
        self.handles: list[Handle] = []
        """The handlers of the open doors; the newest, which comes first, answers."""
        self._library: Any = library
        self._network = library.HTTPTransport, library.AsyncHTTPTransport
        self._router = _TurrisRouter(self.handles, library)
        # The originals may be another library's patches, such as pytest-httpx's: they get the rest.
        self.patch = Patch(
            (library.HTTPTransport, "handle_request", self.answer_sync),
            (library.AsyncHTTPTransport, "handle_async_request", self.answer_async),
            *quick_proxies(library.__name__),
            *quick_cookies(library),
        )
        self.mocks = {
            "vcr.stubs.httpx_stubs": partial(patch_of_vcr, self.answer_sync, self.answer_async)
        }
        """What lets mocks step aside that replace the methods after the door did."""

    def try_out(self) -> None:
        """Answer one request, so that a changed library shows before a test's own requests do."""
        self._router.answer(
            empty_answer, self._library.Request("GET", "https://example.invalid/"), b""
        )

    def answer_sync(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """A transport's method: for Turris hosts the router answers, else the original."""

        def handle_request(transport: object, request: httpx.Request, *args: Any, **kw: Any) -> Any:  # noqa: ANN401 - as the original
            if self._answers(transport, request):
                return self._router.handler(request)
            return original(transport, request, *args, **kw)

        return handle_request

    def answer_async(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """The same for an async client."""

        async def handle_async_request(
            transport: object,
            request: httpx.Request,
            *args: Any,  # noqa: ANN401 - as the original
            **kw: Any,  # noqa: ANN401 - as the original
        ) -> Any:  # noqa: ANN401 - as the original
            if self._answers(transport, request):
                return await self._router.async_handler(request)
            return await original(transport, request, *args, **kw)

        return handle_async_request

    def _answers(self, transport: object, request: httpx.Request) -> bool:
        """Whether a request is for the router.

        Code that patched a method later may keep ours, and call it when no door is open; a
        cassette calls it for other transports, too.
        """
        return (
            bool(self.handles)
            and is_ours(request.url.host)
            and isinstance(transport, self._network)
        )


@cache
def transports_of(library: ModuleType) -> _Transports:
    """The patched transports of a library, made once.

    Raises:
        AttributeError: The library, or respx, is not made as the door expects it.
        TypeError: The same.
    """
    made = _Transports(library)
    made.try_out()
    return made


class _Door(contextlib.AbstractContextManager[None]):
    """Patches the transports of a library while it is open."""

    def __init__(self, library: ModuleType, handle: Handle) -> None:
        self._transports = transports_of(library)
        self._mocks = MocksStepAside(self._transports.mocks)
        self._handle = handle

    def __enter__(self) -> None:
        self._transports.patch.__enter__()
        self._mocks.__enter__()
        self._transports.handles.insert(0, self._handle)

    def __exit__(self, *_: object) -> None:
        self._transports.handles.remove(self._handle)
        self._mocks.__exit__()
        self._transports.patch.__exit__()


class _HttpxDoor(_Door):
    """The same, and lets requests to loopback past a user's own mocks."""

    def __enter__(self) -> None:
        super().__enter__()
        register_loopback()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        unregister_loopback()


class _TurrisRouter(respx.Router):
    """A router that answers every request; it gets those to Turris hosts only."""

    def __init__(self, handles: list[Handle], library: ModuleType) -> None:
        # Without respx's own __init__: it makes mocks and snapshots of routes; there are none.
        self._handles = handles
        self._library: Any = library

    def handler(self, request: httpx.Request) -> httpx.Response:
        """The sandbox's answer."""
        handle = self._handles[0]
        # As a transport reads it, which keeps nothing: a stream can be sent once.
        stream: Any = request.stream
        body = b"".join(stream)
        yield_to_other_threads()
        return self.answer(handle, request, body)

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        """The same for an async client."""
        handle = self._handles[0]
        stream: Any = request.stream
        body = b"".join([part async for part in stream])
        # A socket lets other tasks run before it answers, and so does this door.
        await checkpoint()
        asked = _translated(request, body)
        try:
            response = self._asked(handle, request, asked)
        except self._library.TransportError:
            await _let_deadlines_end(asked)
            raise
        if response.delay:
            await _let_deadlines_end(asked)
        return self._given(response)

    def answer(self, handle: Handle, request: httpx.Request, body: bytes) -> httpx.Response:
        """What a handler answers, as a transport of the library returns it."""
        return self._given(self._asked(handle, request, _translated(request, body)))

    def _asked(self, handle: Handle, request: httpx.Request, asked: Request) -> Response:
        """What a handler answers, in time for the client."""
        _require_length(asked)
        try:
            response = handle(asked)
        except ConnectionFailure as failure:
            self._check_delay(request, failure.delay)
            kind = "ConnectError" if failure.kind == "connect" else "ReadError"
            raise getattr(self._library, kind)(str(failure), request=request) from None
        self._check_delay(request, response.delay)
        return response

    def _check_delay(self, request: httpx.Request, delay: dt.timedelta) -> None:
        if delay and (message := timeout_message(delay, _patience(request))):
            raise self._library.ReadTimeout(message, request=request) from None

    def _given(self, response: Response) -> httpx.Response:
        # An unread stream: the client itself decodes it, or fails to.
        answer: httpx.Response = self._library.Response(
            response.status,
            headers=_headers(self._library, tuple(response.headers)),
            stream=self._library.ByteStream(response.body),
            extensions=_extensions(response.status),
        )
        return answer


async def _let_deadlines_end(asked: Request) -> None:
    """Let a deadline of the client's event loop, which passed while it waited, end the call."""
    try:
        for _ in range(_TURNS):
            await checkpoint()
    except BaseException:  # a cancellation, of any event loop
        asked.give_up()
        raise


def _require_length(request: Request) -> None:
    """Refuse a body that is not as long as its head says, in the words that h11 has for it."""
    declared = request.lines("content-length")
    if len(declared) != 1 or not declared[0].isdecimal() or int(declared[0]) == len(request.body):
        return
    from h11 import LocalProtocolError  # noqa: PLC0415 - of httpx's own, which need not use it

    much = "much" if len(request.body) > int(declared[0]) else "little"
    raise LocalProtocolError(f"Too {much} data for declared Content-Length")


@cache
def _extensions(status: int) -> dict[str, bytes]:
    """What a transport says of an answer's first line; each response has a copy."""
    reason = reasons.get(status, "").encode("ascii")
    return {"http_version": b"HTTP/1.1", "reason_phrase": reason}


@lru_cache(maxsize=8)
def _headers(library: ModuleType, fields: Fields) -> httpx.Headers:
    """An answer's headers; each response copies them, and most of one second have equal ones."""
    lines = [(name.encode(), value.encode("latin-1")) for name, value in fields]
    made: httpx.Headers = library.Headers(lines)
    return made


def _patience(request: httpx.Request) -> float | None:
    """How many seconds the client waits for an answer; None is without end."""
    patience: float | None = request.extensions.get("timeout", {}).get("read")
    return patience


def _translated(request: httpx.Request, body: bytes) -> Request:
    url = request.url
    path, _, query = url.raw_path.decode("ascii").partition("?")
    return Request(
        method=request.method,
        path=path,
        query=query,
        headers=tuple(
            [
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in request.headers.raw
            ]
        ),
        body=body,
        scheme=url.scheme,
        host=url.host,
        patience=_patience(request),
    )
