"""Lets requests of httpx reach ``turris_server`` on loopback, past a user's own mocks of respx."""

import contextlib

import httpx
import respx
from respx.mocks import HTTPCoreMocker
from respx.models import AllMockedAssertionError, PassThrough

from pytest_turris.core.wire.hosts import LOOPBACK_HOSTS


def register_loopback() -> None:
    """Put the router first. Not started: respx uses it only while a user's own mock is active."""
    HTTPCoreMocker.routers.insert(0, _LOOPBACK)


def unregister_loopback() -> None:
    """Take it out again."""
    HTTPCoreMocker.unregister(_LOOPBACK)
    HTTPCoreMocker.stop()


class _LoopbackRouter(respx.Router):
    """Lets requests reach ``turris_server``, even if a user's mock refuses unknown hosts."""

    def __init__(self) -> None:
        # Without respx's own __init__, which makes mocks and snapshots of routes: there are none.
        pass

    def handler(self, request: httpx.Request) -> httpx.Response:
        """Try the user's routers; what they do not match passes through if it is for loopback."""
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
        if request.url.host in LOOPBACK_HOSTS:
            return PassThrough("to loopback", request=request, origin=respx.Route())
        return AllMockedAssertionError(f"RESPX: {request!r} not mocked!")


_LOOPBACK = _LoopbackRouter()
