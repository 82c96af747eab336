"""Makes the calls of a probe: it yields steps, which a driver performs with or without ``await``.

So each probe is written once, for sync and for async clients.
"""

import asyncio
import datetime as dt
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias, TypeVar

from pytest_turris.conformance.call_result import CallResult
from pytest_turris.conformance.errors import CaseError
from pytest_turris.conformance.own_loop import OwnLoops
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.event_loops.current_loop import real_deadline
from pytest_turris.time_travel.travel import TimeTravel

T = TypeVar("T")
ClientCall = Callable[[], Any]

STEP_TIMEOUT = 5.0
"""Real seconds after which a call of an async client, or one of many at once, counts as hung."""

_DEPTH = 8
_NO_TIME = dt.timedelta(0)


@dataclass(frozen=True)
class Perform:
    """A step: make the calls, one after the other or all at once. The reply is their results."""

    calls: tuple[ClientCall, ...]
    at_once: bool = False
    timeout: float = STEP_TIMEOUT
    loops: OwnLoops | None = None
    """Makes an event loop of their own for them, in another thread."""


@dataclass(frozen=True)
class Cancel:
    """A step: begin a call, and cancel it after ``turns`` turns of the event loop.

    The reply begins with its result, which says whether the call went on after that.
    """

    call: ClientCall
    turns: int
    others: int = 0
    """How many more calls begin at the same time, and are not cancelled; their results follow."""


@dataclass(frozen=True)
class Move:
    """A step: move the clock, by ``move`` or in a coroutine by ``amove``. No reply."""

    move: Callable[[], object]
    amove: Callable[[], Awaitable[object]]


_Step: TypeAlias = Perform | Cancel | Move
ProbeSteps: TypeAlias = Generator[_Step, list[CallResult], T]


def drive(steps: ProbeSteps[T], time: TimeTravel) -> T:
    """Perform the steps for a sync client.

    After each step its threads run until they wait: the next one then sees its own effects only.

    Raises:
        CaseError: The call is async.
    """
    reply: list[CallResult] | None = None
    while True:
        try:
            step = next(steps) if reply is None else steps.send(reply)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return] # StopIteration is not generic
        reply = _perform(step, lambda: time.now)
        time.advance(_NO_TIME)


async def adrive(steps: ProbeSteps[T], time: TimeTravel) -> T:
    """Perform the steps for an async client, on asyncio or trio; its tasks run too."""
    reply: list[CallResult] | None = None
    while True:
        try:
            step = next(steps) if reply is None else steps.send(reply)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return] # StopIteration is not generic
        reply = await _aperform(step, lambda: time.now)
        await time.aadvance(_NO_TIME)


def _perform(step: _Step, now: Callable[[], dt.datetime]) -> list[CallResult]:
    if isinstance(step, Move):
        step.move()
        return []
    if isinstance(step, Cancel):
        raise NotApplicableError("only a call of an async client can be cancelled")
    if not step.at_once:
        return [attempt(call, now) for call in step.calls]
    results: list[CallResult | None] = [None] * len(step.calls)
    misuse: list[CaseError] = []
    ready = threading.Barrier(len(step.calls))

    def run(index: int) -> None:
        ready.wait()
        try:
            results[index] = in_deeper_frame(lambda: attempt(step.calls[index], now))
        except CaseError as error:
            misuse.append(error)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(len(results))]
    for thread in threads:
        thread.start()
    end = steady_time() + step.timeout
    for thread in threads:
        thread.join(max(0.0, end - steady_time()))
    if misuse:
        raise misuse[0]
    return _with_hung(results, step.timeout)


def in_deeper_frame(call: Callable[[], T], frames: int = _DEPTH) -> T:
    """Call from a few frames further down.

    freezegun gives real time to callers that are near a frame of ``threading``, such as the
    function of a thread.
    """
    return call() if frames == 0 else in_deeper_frame(call, frames - 1)


def attempt(call: ClientCall, now: Callable[[], dt.datetime]) -> CallResult:
    """Make a call, and catch whatever it raises.

    Raises:
        CaseError: The call is async.
    """
    began, real = now(), steady_time()
    try:
        value = call()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever the client raises is its result
        return CallResult(error=error, took=now() - began, lasted=steady_time() - real)
    if inspect.isawaitable(value):
        getattr(value, "close", lambda: None)()
        raise CaseError("the call is async: write 'await ....arun(call)' in place of run(call)")
    return CallResult(value=value, took=now() - began)


async def _aperform(step: _Step, now: Callable[[], dt.datetime]) -> list[CallResult]:
    import anyio  # noqa: PLC0415 - a sync client needs no event loop

    if isinstance(step, Move):
        await step.amove()
        return []
    if isinstance(step, Cancel):
        return await _cancel(step, now)
    if step.loops:
        there = replace(step, loops=None)
        if asyncio._get_running_loop() is None:  # noqa: SLF001 - get_running_loop raises
            in_loop = partial(anyio.run, _aperform, there, now, backend="trio")
        else:
            in_loop = partial(step.loops.run, partial(_aperform, there, now))
        return await anyio.to_thread.run_sync(in_loop)
    if not step.at_once:
        return [await _aattempt(call, now, step.timeout) for call in step.calls]
    results: list[CallResult | None] = [None] * len(step.calls)

    async def run(index: int) -> None:
        results[index] = await _aattempt(step.calls[index], now, step.timeout)

    with real_deadline(step.timeout):
        async with anyio.create_task_group() as group:
            for index in range(len(results)):
                group.start_soon(run, index)
    return _with_hung(results, step.timeout)


async def _cancel(step: Cancel, now: Callable[[], dt.datetime]) -> list[CallResult]:
    import anyio  # noqa: PLC0415 - as above

    results: list[CallResult | None] = [None] * (step.others + 1)
    cancelled_at: float | None = None

    async def run(index: int) -> None:
        result = await _aattempt(step.call, now, STEP_TIMEOUT)
        results[index] = replace(result, cancelled_at=None if index else cancelled_at)

    async with anyio.create_task_group() as group:
        cancel = _started(run, group)
        for index in range(1, len(results)):
            group.start_soon(run, index)
        for _ in range(step.turns):
            await anyio.lowlevel.checkpoint()
        cancelled_at = steady_time()
        cancel()
    ended = CallResult(error=asyncio.CancelledError("it was cancelled too"))
    return [results[0] or CallResult(), *(result or ended for result in results[1:])]


def _started(run: Callable[[int], Coroutine[Any, Any, None]], group: Any) -> Callable[[], object]:  # noqa: ANN401 - anyio's
    """Begin the first call; returns what cancels it.

    On asyncio once, as a timeout or the end of a program does: anyio's scopes cancel at each await
    again, so that a client which swallows one cancellation would not be seen.
    """
    if asyncio._get_running_loop() is None:  # noqa: SLF001 - get_running_loop raises
        import anyio  # noqa: PLC0415 - as above

        scope = anyio.CancelScope()

        async def scoped() -> None:
            with scope:
                await run(0)

        group.start_soon(scoped)
        return scope.cancel
    task = asyncio.ensure_future(run(0))

    async def wait() -> None:
        await asyncio.wait([task])

    group.start_soon(wait)
    return task.cancel


async def _aattempt(call: ClientCall, now: Callable[[], dt.datetime], seconds: float) -> CallResult:
    import anyio  # noqa: PLC0415 - as above

    began, real = now(), steady_time()
    try:
        with real_deadline(seconds) as deadline:
            value = call()
            if inspect.isawaitable(value):
                value = await value
    except (KeyboardInterrupt, anyio.get_cancelled_exc_class()):
        raise
    except BaseException as error:
        if _is_cancellation(error, anyio.get_cancelled_exc_class()):
            raise
        return CallResult(error=error, took=now() - began, lasted=steady_time() - real)
    if deadline.cancelled_caught:
        return CallResult(error=TimeoutError(), took=now() - began, hangs=True)
    return CallResult(value=value, took=now() - began)


def _is_cancellation(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether all that is in a group is the cancellation: each task of a trio nursery raises it."""
    return isinstance(error, BaseExceptionGroup) and error.split(kind)[1] is None


def _with_hung(results: list[CallResult | None], timeout: float) -> list[CallResult]:
    error = TimeoutError(f"the call still hangs after {timeout:g} s")
    hung = CallResult(error=error, hangs=True)
    return [result or hung for result in results]
