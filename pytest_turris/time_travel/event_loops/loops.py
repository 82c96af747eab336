"""Asyncio under time travel: timers and sleeps by the virtual clock, sockets in real time.

A loop's time is how far the clock moved, plus the real time that the loop waited for something
real: so a deadline around a sleep ends at once, and one around a socket after real seconds.
"""

import asyncio
import contextlib
import heapq
import math
import sys
import types
from collections.abc import Callable, Coroutine, Iterator
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from pytest_turris.process import steady_clock
from pytest_turris.process.patch import Patch, Replacement
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.chains import Chains, main_future
from pytest_turris.time_travel.scheduler import Scheduler
from pytest_turris.time_travel.sleeps import SECOND
from pytest_turris.time_travel.waits import LONGEST, wait
from pytest_turris.time_travel.watching.system_state import State, rests

_NEAR = 1e-6
_PATIENCE = 1.0
"""Real seconds after which a wait for a thread counts against a deadline."""
real_asyncio_sleep: Callable[[float, Any], Coroutine[Any, Any, Any]] = types.FunctionType(
    asyncio.sleep.__code__, asyncio.sleep.__globals__
)
"""As ``asyncio.sleep`` is without time travel."""


class _State:
    """The state of a loop."""

    def __init__(self) -> None:
        self.waited = 0.0
        """How long it really waited."""
        self.timers: list[tuple[float, int, Callable[[], object]]] = []
        """What it calls at a moment of the system's clock."""
        self.order = count()


_states: "WeakKeyDictionary[asyncio.AbstractEventLoop, _State]" = WeakKeyDictionary()


def moves_loops() -> Patch:
    """Asyncio's own loops run by the virtual clock; a loop with its own ``time`` keeps it."""
    original = asyncio.BaseEventLoop.time
    times: list[Replacement] = [
        (loop, "time", lambda _: _virtual_time)
        for loop in _loops(asyncio.BaseEventLoop)
        if vars(loop).get("time") is original or _is_of_freezegun(vars(loop).get("time"))
    ]
    return Patch(
        *times,
        (steady_clock.MovableLoop, "time", lambda _: _virtual_time),
        (steady_clock, "call_really", lambda _: call_after),
        (asyncio.BaseEventLoop, "_run_once", _run_once),
        (asyncio.sleep, "__code__", lambda _: _sleep.__code__),
    )


def call_after(seconds: float, call: Callable[[], object]) -> Callable[[], None]:
    """Call something from the running loop after real seconds; return how to cancel that."""
    loop = asyncio.get_running_loop()
    if Scheduler.current is None or not is_moved(loop):
        return loop.call_later(seconds, call).cancel
    state = _state(loop)
    entry = (steady_time() + seconds, next(state.order), call)
    heapq.heappush(state.timers, entry)

    def cancel() -> None:
        if entry in state.timers:
            state.timers.remove(entry)
            heapq.heapify(state.timers)

    return cancel


def time_left(loop: Any) -> float:  # noqa: ANN401 - its private members
    """Seconds until the next timer of a loop; infinite if it has none."""
    timers = (timer._when for timer in loop._scheduled if not timer._cancelled)  # noqa: SLF001 - asyncio's own
    return float(min(timers, default=math.inf) - loop.time())


def shift_back(scheduler: Scheduler) -> None:
    """Move the timers of loops that outlive the travel to the real clock."""
    for loop, state in list(_states.items()):
        ahead = scheduler.elapsed / SECOND + state.waited - (steady_time() - scheduler.steady)
        for handle in getattr(loop, "_scheduled", ()):
            handle._when -= ahead  # noqa: SLF001 - asyncio has no way to move a timer
    _states.clear()


def _state(loop: asyncio.AbstractEventLoop) -> _State:
    return _states.setdefault(loop, _State())


def _virtual_time(loop: asyncio.AbstractEventLoop) -> float:
    scheduler = Scheduler.current
    if scheduler is None:  # pragma: no cover - in another thread, while the travel begins or ends
        return steady_time()
    return scheduler.steady + scheduler.elapsed / SECOND + _state(loop).waited


def _loops(base: Any) -> Iterator[Any]:  # noqa: ANN401 - classes, whose methods are replaced
    """A class with all that inherit from it: ``real_asyncio`` leaves a copy in one of them."""
    yield base
    for loop in base.__subclasses__():
        yield from _loops(loop)


def _is_of_freezegun(method: object) -> bool:
    return getattr(method, "__module__", "") == "freezegun.api"


def is_moved(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a loop runs by the virtual clock."""
    return getattr(type(loop), "time", None) is _virtual_time


async def _sleep(delay, result=None):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - only its code is used
    from pytest_turris.time_travel.event_loops.loops import sleep  # noqa: PLC0415 - in asyncio's namespace

    return await sleep(delay, result)


async def sleep(delay: float, result: Any) -> Any:  # noqa: ANN401 - as asyncio's
    """Pass on the virtual clock; what runs in place of ``asyncio.sleep``."""
    scheduler, loop = Scheduler.current, asyncio.get_running_loop()
    if scheduler is None or not delay > 0:
        return await real_asyncio_sleep(delay, result)
    delay = 0.0 + delay  # as a loop adds it to its time, with the same error for other types
    module, by = scheduler.callers.find(sys._getframe(2), "asyncio.sleep")  # noqa: SLF001 - as warnings does
    future = loop.create_future()
    if scheduler.callers.is_real(module):
        cancel = call_after(delay, lambda: _finish(future, None))
        scheduler.begin_pause(future, delay, module)
    else:
        cancel = _begin(scheduler, future, delay, by, module)
    try:
        await future
    finally:
        scheduler.pauses.discard(future)
        cancel()
    return result


def _finish(future: "asyncio.Future[None]", error: BaseException | None) -> None:
    if not future.done():
        if error:
            future.set_exception(error)
        else:
            future.set_result(None)


def _begin(
    scheduler: Scheduler, future: "asyncio.Future[None]", delay: float, by: str, module: str
) -> Callable[[], None]:
    loop = future.get_loop()

    def finish(error: BaseException | None) -> None:
        _finish(future, error)

    def wake(error: BaseException | None) -> None:
        left = (sleeper.due - scheduler.elapsed) / SECOND if scheduler.over else 0
        if left > 0:
            loop.call_soon_threadsafe(lambda: loop.call_later(left, finish, error))
        else:
            loop.call_soon_threadsafe(finish, error)

    sleeper = scheduler.begin(delay, wake, by=by, module=module, key=future)
    if scheduler.is_main() and not is_moved(loop):
        # The loop's own timers cannot be reached, so nothing else on it runs meanwhile.
        wait(
            scheduler,
            lambda _: not sleeper.queued,
            lambda: sleeper.queued,
            sleeper,
            waiting="sleep",
        )
    return lambda: scheduler.end(sleeper)


def _run_once(original: Callable[[Any], None]) -> Callable[[Any], None]:
    def run_once(loop: Any) -> None:  # noqa: ANN401 - its private members
        """Wait until there is something to run, then run it."""
        scheduler = Scheduler.current
        if scheduler is not None and not loop._ready and not loop._stopping and is_moved(loop):  # noqa: SLF001 - asyncio's own
            _Waiting(loop, scheduler).wait()
        original(loop)

    return run_once


class _Waiting:
    """A loop that has nothing to run."""

    def __init__(self, loop: Any, scheduler: Scheduler) -> None:  # noqa: ANN401 - its private members
        self._loop = loop
        self._scheduler = scheduler
        self._state = _state(loop)

    def wait(self) -> None:
        """Wait for a timer, a socket or a call from another thread."""
        pause, began = 0.0, steady_time()
        while not self._has_work():
            if self._scheduler.is_main() and self._step():
                pause, began = 0.0, steady_time()
                continue
            pause = min(max(2 * pause, 0.0005), 0.01) if self._scheduler.is_main() else math.inf
            self._wait_really(pause, counts=steady_time() - began > _PATIENCE)

    def _has_work(self) -> bool:
        loop = self._loop
        if loop._ready or loop._stopping:  # noqa: SLF001 - asyncio's own
            return True
        left = time_left(self._loop)
        if not left > _NEAR:  # also a timer of NaN, which asyncio calls at once
            self._state.waited += max(0.0, left)
            return True
        while self._state.timers and self._state.timers[0][0] <= steady_time():
            loop.call_soon(heapq.heappop(self._state.timers)[2])
        return bool(loop._ready or loop._selector.select(0))  # noqa: SLF001 - asyncio's own

    def _waits_for(self) -> str:
        loop = self._loop
        sockets = len(loop._selector.get_map()) > 1  # noqa: SLF001 - one is the loop's own
        chains = Chains(self._scheduler.sleepers.awaited, self._scheduler.pauses)
        return chains.waits_for(main_future(), asyncio.all_tasks(loop), sockets=sockets)

    def _step(self) -> bool:
        """Move the clock, if the main task waits for a sleep, its own or another's."""
        waits = self._waits_for()
        if waits == "real":
            return False
        with self._timer(lambda _: None):
            return self._scheduler.step(
                "sleep" if waits == "sleep" else "others", lambda: not self._has_work()
            )

    def _wait_really(self, pause: float, *, counts: bool) -> None:
        """Wait for a socket; for a thread that works, real time counts after a while only."""
        left = min(pause, time_left(self._loop))
        if self._state.timers:
            left = min(left, max(0.0, self._state.timers[0][0] - steady_time()))
        began = steady_time()
        loop = self._loop
        real = self._waits_for() == "real"
        state: State = "real" if real and not self._scheduler.is_main() else "waiting"
        resting = rests()
        with (
            self._scheduler.threads.parked(lambda: not loop._ready and resting(), state),  # noqa: SLF001 - asyncio's own
            self._timer(lambda _: loop.call_soon_threadsafe(lambda: None)),
        ):
            loop._selector.select(min(left, LONGEST))  # noqa: SLF001 - asyncio's own
        if real or counts:
            self._state.waited += steady_time() - began

    @contextlib.contextmanager
    def _timer(self, wake: Callable[[BaseException | None], object]) -> Iterator[None]:
        """Queue the loop's next timer."""
        sleeper = self._scheduler.timer(time_left(self._loop), wake)
        try:
            yield
        finally:
            self._scheduler.end(sleeper)
