"""Records every request of the client under test, before the sandbox answers it."""

import asyncio
import contextlib
import ctypes
import threading
from collections.abc import Iterator
from dataclasses import replace

from pytest_turris.conformance.observation.recorded_request import RecordedRequest, request_secrets
from pytest_turris.conformance.servers.decoys import DecoyServers
from pytest_turris.core.middleware.interception import Handle, Interceptor
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.hosts import is_decoy, is_turris
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.time_travel.event_loops.current_loop import time_to_next_timer

_RUNAWAY = 500
_TOO_MANY = 429
# Closed at once: a listener that keeps a connection open takes a second to stop.
_NOT_THE_API = Response(
    status=200,
    headers=(("content-type", "application/json"), ("connection", "close")),
    body=b'{"data":[]}',
)


class RunawayError(BaseException):
    """The client sent far more requests than any case needs; it would not stop by itself.

    Not an ``Exception``: it must stop a client that catches all of these and retries.
    """


class RequestRecorder:
    """What the client sent, where to, and what answers it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.requests: list[RecordedRequest] = []
        self.also_secret: list[str] = []
        self.aliases: dict[str, str] = {}
        """The sandbox's tokens, each with the text that the client gets in its place."""
        self.settled: int = 0
        """How many requests do not count any more as those of a client that never stops."""
        self.elsewhere: DecoyServers = DecoyServers(self.record_elsewhere)
        self._intercept: Interceptor = lambda request, handle: handle(request)
        self._lock = threading.Lock()
        self._thread = threading.get_ident()
        self.has_loop: bool = asyncio._get_running_loop() is not None  # noqa: SLF001 - get_running_loop raises

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Record every request while the context is open."""
        try:
            with self.sandbox.interceptors.use(self._record):
                yield
        finally:
            self.elsewhere.stop()

    @property
    def token_requests(self) -> list[RecordedRequest]:
        """The requests for a token."""
        return [seen for seen in self.requests if seen.is_token_request]

    def since(self, mark: int) -> list[RecordedRequest]:
        """What was recorded after ``mark = len(harness.requests)``."""
        return self.requests[mark:]

    def blame(self, mark: int, *, limits: bool = True) -> str:
        """Why calls since ``mark`` failed, if another rule is about that; or empty.

        Args:
            mark: ``len(harness.requests)`` before the calls.
            limits: Whether a 429 of the token endpoint is the client's own doing.
        """
        recorded = self.since(mark)
        api = [seen for seen in recorded if seen.is_api]
        if api and api[-1].is_expired:
            return "an expired token was sent and not replaced: look at TC-06 first"
        if limits and any(s.is_token_request and s.status == _TOO_MANY for s in recorded):
            limit = self.sandbox.options.token_requests_per_minute
            return f"more than {limit} tokens were requested in a minute: look at TC-01 first"
        return ""

    def secrets(self) -> list[str]:
        """All secrets and tokens that must not show."""
        return request_secrets(self.sandbox, self.also_secret)

    @contextlib.contextmanager
    def intercepting(self, interceptor: Interceptor) -> Iterator[None]:
        """Answer in the sandbox's place while the context is open."""
        before, self._intercept = self._intercept, interceptor
        try:
            yield
        finally:
            self._intercept = before

    def record_elsewhere(self, request: Request) -> Response:
        """Record what arrives at a listener that is not the API."""
        recorded = RecordedRequest(
            at=self.sandbox.clock.now(), request=request, elsewhere=True,
            status=_NOT_THE_API.status, token=self.sandbox.tokens.find(request),
        )  # fmt: skip
        with self._lock:
            self.requests.append(recorded)
        return _NOT_THE_API

    def _record(self, request: Request, handle: Handle) -> Response:
        known, aliased = self._known(request)
        recorded = RecordedRequest(
            at=self.sandbox.clock.now(),
            request=request,
            token=self.sandbox.tokens.find(known),
            elsewhere=self._is_elsewhere(request),
        )
        with self._lock:
            self.requests.append(recorded)
        self._stop_runaway(recorded)
        if recorded.elsewhere and not is_turris(request.host):
            response = _NOT_THE_API
        else:
            response = self._intercept(known, handle)
        recorded.status = response.status
        if response.delay and recorded.in_process:
            recorded.earliest_deadline = _earliest_deadline(response.delay.total_seconds())
        return self._renamed(response) if aliased or self.aliases else response

    def _is_elsewhere(self, request: Request) -> bool:
        if is_decoy(request.host):
            return True
        if not is_turris(request.host):
            return False
        port = request.header("host").partition(":")[2]
        return request.scheme != "https" or port not in ("", "443")

    def _stop_runaway(self, recorded: RecordedRequest) -> None:
        many = len(self.requests) - self.settled
        if many <= _RUNAWAY:
            return
        if recorded.in_process:
            raise RunawayError(f"more than {_RUNAWAY} requests")
        # The client is in another thread than this answer. A sync one is stopped there; an
        # async one by the driver, whose max_seconds ends.
        if many == _RUNAWAY + 1 and not self.has_loop:
            raised = ctypes.py_object(RunawayError)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), raised)
        raise ConnectionFailure("reset")

    def _known(self, request: Request) -> tuple[Request, bool]:
        """The request with a token that the sandbox knows."""
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
        """The answer with the texts that the client gets in place of the tokens."""
        body = response.body
        for real, alias in self.aliases.items():
            body = body.replace(real.encode(), alias.encode())
        return replace(response, body=body)


def _earliest_deadline(waited: float) -> float:
    """When the first timer of the running loop was due, in seconds after the request."""
    try:
        left = time_to_next_timer()
    except RuntimeError:  # there is no loop
        return 0.0
    return waited + left if left < 0 else 0.0
