"""Interceptors between a door and the sandbox: they see, hold or replace whole requests.

The journal masks secrets and anyone may read it. To compare secrets, or to make a client wait, use
an interceptor; it must keep nothing longer than the test.
"""

import contextlib
from collections.abc import Callable, Iterator

from pytest_turris.core.wire.messages import Request, Response

Handle = Callable[[Request], Response]
Interceptor = Callable[[Request, Handle], Response]
"""Takes the request and the handler; returns the answer, or raises ConnectionFailure."""


class Interceptors:
    """The interceptors of one sandbox; the one added last is the outermost."""

    def __init__(self) -> None:
        self._interceptors: tuple[Interceptor, ...] = ()

    @contextlib.contextmanager
    def use(self, interceptor: Interceptor) -> Iterator[None]:
        """Use an interceptor while the context is open."""
        self._interceptors = (*self._interceptors, interceptor)
        try:
            yield
        finally:
            self._interceptors = tuple(i for i in self._interceptors if i is not interceptor)

    def wrap(self, handle: Handle) -> Handle:
        """The handler, wrapped in all interceptors."""
        for interceptor in self._interceptors:
            handle = _wrapped(interceptor, handle)
        return handle


def _wrapped(interceptor: Interceptor, handle: Handle) -> Handle:
    return lambda request: interceptor(request, handle)
