"""The lookout of one case: it stands before the sandbox and sees every request of the client."""

import asyncio
import contextlib
import ctypes
import threading
from collections.abc import Iterator
from dataclasses import replace

from pytest_turris.conformance import recorded_request as observation
from pytest_turris.conformance.decoy_servers import ForeignPlaces
from pytest_turris.conformance.recorded_request import Sighting
from pytest_turris.core.middleware.interception import Handle, Interceptor
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.hosts import is_decoy, is_turris
from pytest_turris.core.wire.messages import Request, Response

_RUNAWAY = 500
# Closed at once: a listener that keeps a connection open takes a second to stop.
_NOT_OURS = Response(
    status=200,
    headers=(("content-type", "application/json"), ("connection", "close")),
    body=b'{"data":[]}',
)


class RunawayError(BaseException):
    """The client sent far more requests than any case asks for; it would not stop by itself."""


class Lookout:
    """What the client sent, where to, and who answers it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.sightings: list[Sighting] = []
        self.also_secret: list[str] = []
        self.aliases: dict[str, str] = {}
        """Tokens as the client knows them, by what the sandbox knows them by."""
        self.foreign: ForeignPlaces = ForeignPlaces(self._misled)
        self._intercept: Interceptor = lambda request, handle: handle(request)
        self._lock = threading.Lock()
        self._thread = threading.get_ident()
        self.has_loop: bool = asyncio._get_running_loop() is not None  # noqa: SLF001 - get_running_loop raises

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Look at every request while the context is open."""
        try:
            with self.sandbox.interception.by(self._seen):
                yield
        finally:
            self.foreign.stop()

    @property
    def token_requests(self) -> list[Sighting]:
        """The requests for a token."""
        return [s for s in self.sightings if s.is_token_request]

    def since(self, mark: int) -> list[Sighting]:
        """What was seen after ``mark = len(lab.sightings)``."""
        return self.sightings[mark:]

    def needles(self) -> list[str]:
        """All secrets and tokens that must not be seen."""
        return observation.needles(self.sandbox, self.also_secret)

    @contextlib.contextmanager
    def intercepting(self, interceptor: Interceptor) -> Iterator[None]:
        """Answer in the sandbox' place while the context is open."""
        before, self._intercept = self._intercept, interceptor
        try:
            yield
        finally:
            self._intercept = before

    def _seen(self, request: Request, handle: Handle) -> Response:
        known, aliased = self._known(request)
        sighting = Sighting(
            at=self.sandbox.clock.now(),
            request=request,
            token=self.sandbox.tokens.find(known),
            foreign=self._is_foreign(request),
        )
        with self._lock:
            self.sightings.append(sighting)
        self._stop_runaway(sighting)
        if sighting.foreign and not is_turris(request.host):
            response = _NOT_OURS
        else:
            response = self._intercept(known, handle)
        sighting.status = response.status
        return self._renamed(response) if aliased or self.aliases else response

    def _misled(self, request: Request) -> Response:
        """What arrives at a listener that is not the API."""
        sighting = Sighting(
            at=self.sandbox.clock.now(), request=request, foreign=True, status=_NOT_OURS.status,
            token=self.sandbox.tokens.find(request),
        )  # fmt: skip
        with self._lock:
            self.sightings.append(sighting)
        return _NOT_OURS

    def _is_foreign(self, request: Request) -> bool:
        if is_decoy(request.host):
            return True
        if not is_turris(request.host):
            return False
        port = request.header("host").partition(":")[2]
        return request.scheme != "https" or port not in ("", "443")

    def _stop_runaway(self, sighting: Sighting) -> None:
        if len(self.sightings) <= _RUNAWAY:
            return
        if sighting.in_process:
            raise RunawayError(f"more than {_RUNAWAY} requests")
        # The client is in another thread than this answer. A sync one is stopped there; an
        # async one by the driver, whose patience ends.
        if len(self.sightings) == _RUNAWAY + 1 and not self.has_loop:
            raised = ctypes.py_object(RunawayError)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), raised)
        raise ConnectionFailure("reset")

    def _known(self, request: Request) -> tuple[Request, bool]:
        """The request with a token as the sandbox knows it."""
        value = request.header("authorization")
        text = value.partition(" ")[2].strip()
        real = next((real for real, alias in self.aliases.items() if alias == text), "")
        if not real:
            return request, False
        headers = tuple(
            (name, f"Bearer {real}" if name == "authorization" else content)
            for name, content in request.headers
        )
        return replace(request, headers=headers), True

    def _renamed(self, response: Response) -> Response:
        """The answer with tokens as the client is to know them."""
        body = response.body
        for real, alias in self.aliases.items():
            body = body.replace(real.encode(), alias.encode())
        return replace(response, body=body)
