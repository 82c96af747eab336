"""The lab of one case: the sandbox, the clock, the client under test, and all that is seen."""

import asyncio
import contextlib
import ctypes
import datetime as dt
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from pytest_turris.clients import observation
from pytest_turris.clients.foreign import ForeignPlaces
from pytest_turris.clients.leaks import Traces, watch
from pytest_turris.clients.observation import Sighting
from pytest_turris.clients.outcome import Outcome, texts_of
from pytest_turris.clients.steps import Call, Flow, Make
from pytest_turris.clients.verdict import BrokenError, CaseError, UnobservedError
from pytest_turris.core.errors import ConnectionFailure
from pytest_turris.core.hosts import is_decoy, is_turris
from pytest_turris.core.interception import Handle, Interceptor
from pytest_turris.core.messages import Request, Response
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel import TimeTravel

TICK = dt.timedelta(milliseconds=1)
_RUNAWAY = 500
_NOT_OURS = Response(
    status=200, headers=(("content-type", "application/json"),), body=b'{"data":[]}'
)


class RunawayError(BaseException):
    """The client sent far more requests than any case asks for; it would not stop by itself."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The client under test, as far as the test gives it."""

    call: Call
    new_client: Callable[[], object] | None = None
    write: Call | None = None
    concurrency: int = 50


class Lab:
    """What a probe may use. All times are of the sandbox's clock."""

    def __init__(self, sandbox: Sandbox, time: TimeTravel, subject: Subject) -> None:
        self.sandbox = sandbox
        self.time = time
        self.subject = subject
        self.sightings: list[Sighting] = []
        self.also_secret: list[str] = []
        self.aliases: dict[str, str] = {}
        """Tokens as the client knows them, by what the sandbox knows them by."""
        self.foreign: ForeignPlaces = ForeignPlaces(self._misled)
        self._intercept: Interceptor = lambda request, handle: handle(request)
        self._lock = threading.Lock()
        self._thread = threading.get_ident()
        self._has_loop = asyncio._get_running_loop() is not None  # noqa: SLF001 - get_running_loop raises

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

    def require(self, condition: object, words: str) -> None:
        """The client must have done so.

        Raises:
            BrokenError: It did not.
        """
        if not condition:
            raise BrokenError(words)

    def unobserved(self, words: str) -> NoReturn:
        """Nothing is to be seen here."""
        raise UnobservedError(words)

    def succeeded(self, outcomes: list[Outcome], when: str) -> None:
        """All calls must have given a result.

        Raises:
            BrokenError: One failed.
        """
        failed = [outcome for outcome in outcomes if outcome.error is not None]
        if failed:
            raise BrokenError(f"{len(failed)} of {len(outcomes)} calls failed {when}: {failed[0]}")

    def calls(self, times: int = 1, *, at_once: bool = False) -> Flow[list[Outcome]]:
        """Let the client make its call."""
        return (yield Make((self.subject.call,) * times, at_once))

    def together(self) -> Flow[list[Outcome]]:
        """Let the client make its call from many threads or tasks at once."""
        return (yield from self.calls(self.subject.concurrency, at_once=True))

    def warm(self) -> Flow[None]:
        """Let the client get its first token.

        Raises:
            CaseError: The call fails although nothing was provoked.
        """
        (outcome,) = yield from self.calls()
        if outcome.error is not None:
            raise CaseError(
                f"the call fails although nothing was provoked: {outcome}"
            ) from outcome.error
        if not self.sightings:
            raise CaseError("the call sent no request to the sandbox: is its base URL Turris'?")

    def writes(self, times: int = 1) -> Flow[list[Outcome]]:
        """Let the client make its write.

        Raises:
            UnobservedError: The test gave none.
        """
        if self.subject.write is None:
            raise UnobservedError("give a POST of the client: run(call, write=...)")
        return (yield Make((self.subject.write,) * times))

    def fresh(self) -> Flow[Outcome]:
        """Make a client anew from the environment as it is now, and let it make its call.

        Raises:
            UnobservedError: The test gave no way to make one.
        """
        if self.subject.new_client is None:
            raise UnobservedError("give a way to make a client anew: run(call, new_client=...)")
        (made,) = yield Make((self.subject.new_client,))
        if made.error is not None:
            return made
        if not callable(made.value):
            raise CaseError("new_client gives a callable that makes one API call")
        (outcome,) = yield Make((made.value,))
        return outcome

    def age(self, age: dt.timedelta) -> None:
        """Go to where the newest token is so old."""
        token = self.sandbox.tokens.newest
        if token is None:
            raise CaseError("the client asked for no token, so none can grow old")
        self.time.move_to(token.issued_at + age)

    @contextlib.contextmanager
    def intercepting(self, interceptor: Interceptor) -> Iterator[None]:
        """Answer in the sandbox' place while the context is open."""
        before, self._intercept = self._intercept, interceptor
        try:
            yield
        finally:
            self._intercept = before

    @contextlib.contextmanager
    def fault(self, operation: str, **effect: object) -> Iterator[None]:
        """A scripted fault that need not fire; taken back at the end."""
        fault = self.sandbox.faults.add(operation, optional=True, **effect)  # type: ignore[arg-type] # as add
        try:
            yield
        finally:
            self.sandbox.faults.remove(fault)

    @contextlib.contextmanager
    def environment(self, **variables: str | None) -> Iterator[None]:
        """Environment variables, by their TURRIS_ name without prefix; None takes one away."""
        options = self.sandbox.options
        names = {
            "base_url": options.env_base_url,
            "client_id": options.env_client_id,
            "client_secret": options.env_client_secret,
        }
        with _environ({names.get(key, key): value for key, value in variables.items()}):
            yield

    @contextlib.contextmanager
    def directory(self) -> Iterator[Path]:
        """A directory for files that a client reads."""
        with TemporaryDirectory(prefix="turris-") as name:
            yield Path(name)

    @contextlib.contextmanager
    def traces(self) -> Iterator[Traces]:
        """Look at logs, output and files while the context is open."""
        with watch() as traces:
            yield traces

    def shown(self, outcomes: list[Outcome]) -> str:
        """In words, where an exception or the client's repr shows a secret; or empty."""
        needles = self.needles()
        for outcome in outcomes:
            text = texts_of(outcome.error)
            if any(needle in text for needle in needles):
                return f"the text of {type(outcome.error).__name__} or of what caused it"
        for holder in _holders(self.subject.call):
            text = repr(holder)
            if any(needle in text for needle in needles):
                return f"the repr of {type(holder).__name__}"
        return ""

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
        if len(self.sightings) == _RUNAWAY + 1 and not self._has_loop:
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


@contextlib.contextmanager
def _environ(variables: Mapping[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    try:
        _set(variables)
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _holders(call: Call) -> list[object]:
    """The objects that a call holds on to: the client, most likely."""
    holders = [getattr(call, "__self__", None)]
    for cell in getattr(call, "__closure__", None) or ():
        with contextlib.suppress(ValueError):
            holders.append(cell.cell_contents)
    return [
        held for held in holders if held is not None and not isinstance(held, Sandbox | TimeTravel)
    ]
