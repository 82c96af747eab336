"""TC-66, TC-67 and TC-69: sleeps, cancellation and event loops of an async client."""

import asyncio
import datetime as dt
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType

from pytest_turris.conformance.driver import Cancel, Perform, ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.own_loop import OwnLoops
from pytest_turris.conformance.preconditions import renew
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.hosts import is_turris
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.in_process import httpx
from pytest_turris.process.patch import Patch
from pytest_turris.process.steady_clock import steady_time

COROUTINES = RuleFamily()
_rule = COROUTINES.rule

Checkpoint = Callable[[], Awaitable[None]]

_BUDGET = dt.timedelta(minutes=10)
_TURNS = 8
_ASYNC_DOOR = "async_handler"
"""The function of the doors in process that answers async clients."""
_SOON = 2.0
"""Real seconds within which an event loop that is not blocked turns, on a busy machine too."""
_CALLS = 8
_STEPS = 3
_TWICE = 2


@_rule(
    "TC-66",
    "A coroutine does not block its event loop",
    does="Answers a call, and then a token request, with 503, 429 and a broken connection, and "
    "looks how the client waits, and by what it sends its requests.",
    why="While one call waits, no other task of the application runs.",
    fix="Await asyncio.sleep and an async HTTP client.",
    usual_bug="time.sleep, httpx.post, or result() of what a thread does, as in a sync client",
    source="Python documentation: developing with asyncio, running blocking code",
    needs="an async client",
)
def _blocking_sleep(harness: ClientHarness) -> ProbeSteps[None]:
    _require_loop(harness)
    yield from harness.get_first_token()
    for effect in ({"status": 503}, {"status": 429}, {"error": "reset"}):
        for operation in ("*", "get_oauth_token"):
            harness.time.limit_sleeps(_BUDGET)
            with harness.fault(operation, **effect), _blocking_requests(harness) as requests:
                if operation == "*":
                    yield from harness.calls()
                else:
                    yield from renew(harness)
            blocking = [sleep for sleep in harness.time.sleeps if sleep.blocks_loop]
            harness.require(not blocking, f"a coroutine called {blocking and blocking[0]}")
            harness.require(not requests, "".join(requests[:1]))
            harness.time.limit_sleeps(None)
            harness.sandbox.limits.reset()


@_rule(
    "TC-67",
    "A cancelled call ends",
    does="Cancels a call at each of its steps, while it asks for a token and while it waits for "
    "the API.",
    why="A timeout around the call has no effect, and the application hangs when it is stopped.",
    fix="Do not catch BaseException or CancelledError, or raise it again.",
    usual_bug="`except BaseException` in a retry loop",
    source="Python documentation: asyncio, task cancellation",
    needs="an async client",
)
def _ends(harness: ClientHarness) -> ProbeSteps[None]:
    _require_loop(harness)
    yield from harness.get_first_token()
    defied: list[str] = []
    for turns in range(1, _TURNS + 1):
        for cold in (False, True):
            if cold:
                yield from harness.past_expiry()
            harness.time.limit_sleeps(_BUDGET)
            with Patch((httpx, "checkpoint", _several)), _moments(harness) as moments:
                (result,) = yield Cancel(harness.client.call, turns)
            harness.time.limit_sleeps(None)
            harness.sandbox.limits.reset()
            if result.cancelled_at and not moments.is_over(result.cancelled_at):
                defied.append("returned a result" if result.error is None else f"raised {result}")
            # Once may be a call that ended in the very moment in which it was cancelled.
            got = f"calls that were cancelled went on; the last one {defied and defied[-1]}"
            harness.require(len(defied) < _TWICE, got)
        yield from harness.calls()


@_rule(
    "TC-69",
    "The client works in another event loop",
    does="Makes many calls at once in an event loop and closes it, makes them again in another one "
    "when a new token is due, and then makes a call in the test's own. Over a socket, the client's "
    "connections are tested too.",
    why="With asyncio.run for each job, or a loop for each test, the second use raises "
    "RuntimeError.",
    fix="Keep locks and connections for each event loop, or make a client for each.",
    usual_bug="an asyncio.Lock in __init__, which belongs to the loop where it is first awaited",
    source="Python documentation: asyncio, synchronisation primitives; haystack issue 3789",
    level="should",
    needs="an async client",
)
def _another_loop(harness: ClientHarness) -> ProbeSteps[None]:
    _require_loop(harness)
    calls, mark = (harness.client.call,) * _CALLS, len(harness.requests)
    with closing(OwnLoops()) as loops:
        first = yield Perform(calls, at_once=True, loops=loops)
        if harness.count_token_requests(mark) >= _CALLS:
            harness.not_applicable("each call requested a token: look at TC-01 and TC-02 first")
        harness.require_success(first, "at once, in an event loop")
        yield from harness.past_expiry()
        second = yield Perform(calls, at_once=True, loops=loops)
        when = "at once, in another event loop after the first was closed"
        harness.require_success(second, when, ours_alone=True)
        harness.require_success(
            (yield from harness.calls()), "in the test's event loop, after that"
        )


class _Moments:
    """When a call's requests came, and when those for the API were answered, in real time."""

    def __init__(self) -> None:
        self._asked: list[float] = []
        self._answered: list[float] = []

    def note(self, request: Request, handle: Handle) -> Response:
        """Note those of a request."""
        self._asked.append(steady_time())
        response = handle(request)
        if not request.is_token_request:
            self._answered.append(steady_time())
        return response

    def is_over(self, moment: float) -> bool:
        """Whether the call had its answer by a moment, and sent nothing after it.

        Over a socket, an answer that has arrived may be returned before a cancellation comes.
        """
        return bool(self._answered) and max(self._answered + self._asked) <= moment


@contextmanager
def _moments(harness: ClientHarness) -> Iterator[_Moments]:
    moments = _Moments()
    with harness.intercepting(moments.note):
        yield moments


def _several(checkpoint: Checkpoint) -> Checkpoint:
    """A request in process takes as many steps as one over a socket may: each can be cancelled."""

    async def checkpoints() -> None:
        for _ in range(_STEPS):
            await checkpoint()

    return checkpoints


@contextmanager
def _blocking_requests(harness: ClientHarness) -> Iterator[list[str]]:
    """What blocked the running event loop: a sync library in its thread, or waiting for another."""
    found: list[str] = []
    loop = asyncio._get_running_loop()  # noqa: SLF001 - get_running_loop raises, on trio

    def note(request: Request, handle: Handle) -> Response:
        what = f"{request.method} {request.path}"
        if asyncio._get_running_loop() is loop is not None:  # noqa: SLF001 - as above
            if is_turris(request.host) and not _comes_from_async_door():
                found.append(f"a coroutine sent {what} with a library that blocks")
        elif loop is not None and not _turns(loop):
            found.append(f"a coroutine blocked its event loop until {what} was answered")
        return handle(request)

    with harness.intercepting(note):
        yield found


def _comes_from_async_door() -> bool:
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - there is no public way
    while frame is not None and frame.f_code.co_name != _ASYNC_DOOR:
        frame = frame.f_back
    return frame is not None


def _turns(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether an event loop of another thread does something else, soon in real time."""
    turned = threading.Lock()  # because time travel makes the waits of an ``Event`` virtual
    turned.acquire()
    loop.call_soon_threadsafe(turned.release)
    return turned.acquire(timeout=_SOON)


def _require_loop(harness: ClientHarness) -> None:
    if not harness.is_async:
        harness.not_applicable("only an async client has an event loop: await arun(call)")
