"""The door for httpx: one catch-all router in respx, for both Turris hosts.

It lives beside the user's own respx mocks, whichever began first: Turris hosts are always
ours, everything else is left to the others, and loopback passes where they have no route.
"""

import contextlib
from collections.abc import Callable, Iterator

import httpx
import respx
from respx.mocks import HTTPCoreMocker
from respx.models import AllMockedAssertionError, PassThrough

from pytest_turris.core.errors import ConnectionFailure
from pytest_turris.core.hosts import HOSTS
from pytest_turris.core.messages import Request, Response

Handle = Callable[[Request], Response]

_TURRIS = frozenset(HOSTS.values())
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@contextlib.contextmanager
def httpx_door(handle: Handle) -> Iterator[None]:
    """Answer every httpx client, sync and async, while the context is open."""
    router = TurrisRouter(handle)
    # First in line, so that a user's catch-all never answers for Turris.
    HTTPCoreMocker.routers.insert(0, router)
    HTTPCoreMocker.start()
    try:
        yield
    finally:
        HTTPCoreMocker.unregister(router)
        HTTPCoreMocker.stop()


class TurrisRouter(respx.Router):
    """A router without routes: respx asks it about each request of the process."""

    def __init__(self, handle: Handle) -> None:
        super().__init__(assert_all_called=False)
        self._handle = handle

    def handler(self, request: httpx.Request) -> httpx.Response:
        """Answer for a Turris host, else ask the other routers."""
        if request.url.host in _TURRIS:
            return self._answer(request)
        unmatched: AllMockedAssertionError | None = None
        for router in self._others():
            try:
                return router.handler(request)
            except AllMockedAssertionError as error:
                unmatched = error
        raise self._not_ours(request, unmatched)

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        """The same for an async client."""
        if request.url.host in _TURRIS:
            return self._answer(request)
        unmatched: AllMockedAssertionError | None = None
        for router in self._others():
            try:
                return await router.async_handler(request)
            except AllMockedAssertionError as error:
                unmatched = error
        raise self._not_ours(request, unmatched)

    def _others(self) -> list[respx.Router]:
        return [r for r in HTTPCoreMocker.routers if not isinstance(r, TurrisRouter)]

    def _not_ours(
        self, request: httpx.Request, unmatched: AllMockedAssertionError | None
    ) -> Exception:
        if unmatched is not None and request.url.host not in _LOOPBACK:
            return unmatched
        # No respx route is behind it; respx takes any Route-like origin.
        return PassThrough("not a Turris host", request=request, origin=respx.Route())

    def _answer(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._handle(_translated(request))
        except ConnectionFailure as failure:
            kind = httpx.ConnectError if failure.kind == "connect" else httpx.ReadError
            raise kind(str(failure), request=request) from None
        timeout = request.extensions.get("timeout", {}).get("read")
        if timeout is not None and response.delay.total_seconds() > timeout:
            raise httpx.ReadTimeout(
                f"scripted fault: the answer takes {response.delay}, the client waits {timeout} s",
                request=request,
            )
        headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers]
        return httpx.Response(
            response.status, headers=headers, content=response.body, request=request
        )


def _translated(request: httpx.Request) -> Request:
    url = request.url
    path, _, query = url.raw_path.decode("ascii").partition("?")
    return Request(
        method=request.method,
        path=path,
        query=query,
        headers=tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in request.headers.raw
        ),
        body=request.content,
        scheme=url.scheme,
        host=url.host,
    )
