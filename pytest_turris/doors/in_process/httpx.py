"""The doors for httpx and httpx2, in respx: one catch-all router for both Turris hosts.

It answers where a client hands a request to its transport; respx's own mocks answer one layer
below, in httpcore. So Turris hosts are always ours, whichever mock began first, and every
other request goes on to the user's mocks, or to the network. httpx2 is httpx under another
name, so its door is this one with another library behind it.
"""

import contextlib
import sys
from collections.abc import Callable
from typing import Any, ClassVar

import httpx
import respx
from anyio.lowlevel import checkpoint
from respx.mocks import AbstractRequestMocker, HTTPCoreMocker
from respx.models import AllMockedAssertionError, PassThrough

from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request
from pytest_turris.doors.in_process.sharing import (
    Handle,
    is_ours,
    timeout_message,
    yield_to_other_threads,
)

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def httpx_door(handle: Handle) -> contextlib.AbstractContextManager[None]:
    """Answer every httpx client, sync and async, while the context is open."""
    return _HttpxDoor(_HttpxMocker, handle)


def httpx2_door(handle: Handle) -> contextlib.AbstractContextManager[None]:
    """Answer every httpx2 client, sync and async, while the context is open."""
    return _Door(_Httpx2Mocker, handle)


class _TransportMocker(AbstractRequestMocker):
    """respx's mocker, pointed at the transports of a library.

    What it puts in their place is its own, and so is how: respx's takes 2 ms for each test and
    ten calls for each request. It has no name, so respx does not list it: ``respx.mock(using=...)``
    is not for it, and the list would refuse a second import of this module, as pytester makes.
    """

    name = ""
    library: ClassVar[str]
    routers: ClassVar[list[respx.Router]]
    _replaced: ClassVar[list[tuple[type, str, object]]]

    def __init_subclass__(cls, *, library: str) -> None:
        super().__init_subclass__()
        cls.library = library
        cls.routers, cls._replaced = [], []

    @classmethod
    def start(cls) -> None:
        """Patch the transports, unless they are.

        What is there may be another library's patch, such as pytest-httpx's: it gets the rest.
        """
        if not cls._replaced:
            library: Any = sys.modules[cls.library]
            cls._replace(library.HTTPTransport, "handle_request", cls.mock)
            cls._replace(library.AsyncHTTPTransport, "handle_async_request", cls.amock)

    @classmethod
    def stop(cls, force: bool = False) -> None:  # noqa: FBT001, FBT002 - respx's signature
        """Put the transports back, once no router is left."""
        if cls.routers and not force:
            return
        while cls._replaced:
            setattr(*cls._replaced.pop())

    @classmethod
    def _replace(cls, owner: type, name: str, mock: Callable[[Any], object]) -> None:
        original = vars(owner)[name]
        cls._replaced.append((owner, name, original))
        setattr(owner, name, mock(original))

    @classmethod
    def mock(cls, spec: Callable[..., Any]) -> Callable[..., Any]:
        """A method of a transport: the newest router answers for Turris hosts, ``spec`` else."""

        def handle_request(transport: object, request: httpx.Request) -> Any:  # noqa: ANN401 - as the original
            # Whoever patched it later may keep it, and call it when no door is open.
            if cls.routers and is_ours(request.url.host):
                return cls.routers[0].handler(request)
            return spec(transport, request)

        return handle_request

    @classmethod
    def amock(cls, spec: Callable[..., Any]) -> Callable[..., Any]:
        """The same for an async client."""

        async def handle_async_request(transport: object, request: httpx.Request) -> Any:  # noqa: ANN401 - as the original
            if cls.routers and is_ours(request.url.host):
                return await cls.routers[0].async_handler(request)
            return await spec(transport, request)

        return handle_async_request


class _HttpxMocker(_TransportMocker, library="httpx"):
    """For httpx."""


class _Httpx2Mocker(_TransportMocker, library="httpx2"):
    """For httpx2."""


class _Door(contextlib.AbstractContextManager[None]):
    """The transports of a library, patched while this is open."""

    def __init__(self, mocker: type[_TransportMocker], handle: Handle) -> None:
        self._mocker = mocker
        self._router = _TurrisRouter(handle, mocker.library)

    def __enter__(self) -> None:
        self._mocker.routers.insert(0, self._router)
        self._mocker.start()

    def __exit__(self, *_: object) -> None:
        self._mocker.unregister(self._router)
        self._mocker.stop()


class _HttpxDoor(_Door):
    """The same, and the way to loopback past a user's own mocks."""

    def __enter__(self) -> None:
        self._loopback = _LoopbackRouter()
        # Registered, not started: it is asked only while a user's own mock is active.
        HTTPCoreMocker.routers.insert(0, self._loopback)
        super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        HTTPCoreMocker.unregister(self._loopback)
        HTTPCoreMocker.stop()


class _TurrisRouter(respx.Router):
    """A router with one route: whatever goes to a Turris host."""

    def __init__(self, handle: Handle, library: str) -> None:
        # Not respx's own: it makes mocks and snapshots of routes, and there are none.
        self._handle = handle
        self._library: Any = sys.modules[library]

    def handler(self, request: httpx.Request) -> httpx.Response:
        """Answer; the mocker asks about Turris hosts only."""
        request.read()
        yield_to_other_threads()
        return self._answer(request)

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        """The same for an async client."""
        await request.aread()
        # A socket lets other tasks run before it answers; so does this door.
        await checkpoint()
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._handle(_translated(request))
        except ConnectionFailure as failure:
            kind = "ConnectError" if failure.kind == "connect" else "ReadError"
            raise getattr(self._library, kind)(str(failure), request=request) from None
        timeout = request.extensions.get("timeout", {}).get("read")
        if complaint := timeout_message(response, timeout):
            raise self._library.ReadTimeout(complaint, request=request)
        # A stream, which nobody has read: decoding is the client's, and so are its errors.
        answer: httpx.Response = self._library.Response(
            response.status,
            headers=[(name.encode(), value.encode("latin-1")) for name, value in response.headers],
            stream=self._library.ByteStream(response.body),
        )
        return answer


class _LoopbackRouter(respx.Router):
    """Lets ``turris_server`` be reached although a user's mock allows no such request."""

    def __init__(self) -> None:
        # As above: no routes of its own.
        pass

    def handler(self, request: httpx.Request) -> httpx.Response:
        """Ask the user's routers; what they do not know passes if it goes to loopback."""
        for router in self._others():
            with contextlib.suppress(AllMockedAssertionError):
                return router.handler(request)
        raise self._unmatched(request)

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        """The same for an async client."""
        for router in self._others():
            with contextlib.suppress(AllMockedAssertionError):
                return await router.async_handler(request)
        raise self._unmatched(request)

    @staticmethod
    def _others() -> list[respx.Router]:
        return [r for r in HTTPCoreMocker.routers if not isinstance(r, _LoopbackRouter)]

    @staticmethod
    def _unmatched(request: httpx.Request) -> Exception:
        if request.url.host in _LOOPBACK:
            return PassThrough("to loopback", request=request, origin=respx.Route())
        return AllMockedAssertionError(f"RESPX: {request!r} not mocked!")


def _translated(request: httpx.Request) -> Request:
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
        body=request.content,
        scheme=url.scheme,
        host=url.host,
    )
