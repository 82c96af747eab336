"""How a probe makes calls: it yields steps, and a driver performs them with or without await.

So each probe is written once, for sync and for async clients.
"""

import datetime as dt
import inspect
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from pytest_turris.conformance.errors import CaseError, UnobservedError
from pytest_turris.conformance.outcome import Outcome
from pytest_turris.process.steady_clock import steady_time

T = TypeVar("T")
Call = Callable[[], Any]

PATIENCE = 5.0
"""Real seconds after which a call of an async client, or one of many at once, counts as hung."""

_DEPTH = 8


@dataclass(frozen=True)
class Make:
    """A step: make the calls, one after the other or all at once; the reply is their outcomes."""

    calls: tuple[Call, ...]
    at_once: bool = False
    patience: float = PATIENCE


@dataclass(frozen=True)
class Cancel:
    """A step: begin a call and cancel it after so many turns of the event loop. No reply."""

    call: Call
    turns: int


Flow: TypeAlias = Generator[Make | Cancel, list[Outcome], T]


def drive(flow: Flow[T], now: Callable[[], dt.datetime]) -> T:
    """Perform a flow for a sync client.

    Raises:
        CaseError: The call is async.
    """
    reply: list[Outcome] | None = None
    while True:
        try:
            step = next(flow) if reply is None else flow.send(reply)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return] # StopIteration is not generic
        reply = _perform(step, now)


async def adrive(flow: Flow[T], now: Callable[[], dt.datetime]) -> T:
    """Perform a flow for an async client, on asyncio or trio."""
    reply: list[Outcome] | None = None
    while True:
        try:
            step = next(flow) if reply is None else flow.send(reply)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return] # StopIteration is not generic
        reply = await _aperform(step, now)


def _perform(step: Make | Cancel, now: Callable[[], dt.datetime]) -> list[Outcome]:
    if isinstance(step, Cancel):
        raise UnobservedError("only a call of an async client can be cancelled")
    if not step.at_once:
        return [attempt(call, now) for call in step.calls]
    outcomes: list[Outcome | None] = [None] * len(step.calls)
    misuse: list[CaseError] = []
    ready = threading.Barrier(len(step.calls))

    def run(index: int) -> None:
        ready.wait()
        try:
            outcomes[index] = deep(lambda: attempt(step.calls[index], now))
        except CaseError as error:
            misuse.append(error)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(len(outcomes))]
    for thread in threads:
        thread.start()
    end = steady_time() + step.patience
    for thread in threads:
        thread.join(max(0.0, end - steady_time()))
    if misuse:
        raise misuse[0]
    hung = Outcome(error=TimeoutError(f"the call still hangs after {step.patience:g} s"))
    return [outcome or hung for outcome in outcomes]


def deep(call: Callable[[], T], frames: int = _DEPTH) -> T:
    """Call a few frames deeper: freezegun gives real time to callers so near ``threading``."""
    return call() if frames == 0 else deep(call, frames - 1)


def attempt(call: Call, now: Callable[[], dt.datetime]) -> Outcome:
    """What comes of a call, whatever it raises."""
    began = now()
    try:
        value = call()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever the client raises is what is looked at
        return Outcome(error=error, took=now() - began)
    if inspect.isawaitable(value):
        getattr(value, "close", lambda: None)()
        raise CaseError("the call is async: in a coroutine, 'await ....arun(call)' in place of run")
    return Outcome(value=value, took=now() - began)


async def _aperform(step: Make | Cancel, now: Callable[[], dt.datetime]) -> list[Outcome]:
    import anyio  # noqa: PLC0415 - a sync client needs no event loop

    if isinstance(step, Cancel):
        async with anyio.create_task_group() as group:
            group.start_soon(_aattempt, step.call, now, PATIENCE)
            for _ in range(step.turns):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        return []
    if not step.at_once:
        return [await _aattempt(call, now, step.patience) for call in step.calls]
    outcomes: list[Outcome | None] = [None] * len(step.calls)

    async def run(index: int) -> None:
        outcomes[index] = await _aattempt(step.calls[index], now, step.patience)

    with anyio.move_on_after(step.patience):
        async with anyio.create_task_group() as group:
            for index in range(len(outcomes)):
                group.start_soon(run, index)
    hung = Outcome(error=TimeoutError(f"the call still hangs after {step.patience:g} s"))
    return [outcome or hung for outcome in outcomes]


async def _aattempt(call: Call, now: Callable[[], dt.datetime], patience: float) -> Outcome:
    import anyio  # noqa: PLC0415 - as above

    began = now()
    try:
        with anyio.fail_after(patience):
            value = call()
            if inspect.isawaitable(value):
                value = await value
    except (KeyboardInterrupt, anyio.get_cancelled_exc_class()):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever the client raises is what is looked at
        return Outcome(error=error, took=now() - began)
    return Outcome(value=value, took=now() - began)
