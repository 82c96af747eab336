"""Trio under time travel, as ``loops.py`` has it for asyncio.

Trio looks at a socket only while a task waits for it, so open connections do not matter here.
"""

import _thread
import contextlib
import math
import sys
import types
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from pytest_turris.process.patch import Patch
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.chains import innermost
from pytest_turris.time_travel.scheduler import Scheduler
from pytest_turris.time_travel.sleeps import SECOND
from pytest_turris.time_travel.threads import rests

_NEAR = 1e-6
_PATIENCE = 1.0
"""As in ``loops.py``."""

_waited: "WeakKeyDictionary[Any, float]" = WeakKeyDictionary()
"""How long each run really waited, by its clock."""

_real_sleep: list[Callable[..., Any]] = []


def moves_trio() -> Patch:
    """Trio runs by the virtual clock, if it is loaded; a run with its own clock keeps it."""
    trio = sys.modules.get("trio")
    if trio is None:
        return Patch()
    run: Any = sys.modules["trio._core._run"]
    _real_sleep[:] = [types.FunctionType(trio.sleep.__code__, trio.sleep.__globals__)]
    return Patch(
        (run.SystemClock, "current_time", _current_time),
        (run.TheIOManager, "get_events", _get_events),
        (trio.sleep, "__code__", lambda _: _sleep.__code__),
    )


def call_after(seconds: float, call: Callable[[], object]) -> Callable[[], None]:
    """Call something from the current run after real seconds; returns how to call that off."""
    import trio  # noqa: PLC0415 - as in ``sleep``

    token, over = trio.lowlevel.current_trio_token(), _thread.allocate_lock()
    over.acquire()

    def wait() -> None:
        if not over.acquire(timeout=seconds):
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(call)

    _thread.start_new_thread(wait, ())
    return over.release


def _current_time(original: Callable[[Any], float]) -> Callable[[Any], float]:
    def current_time(clock: Any) -> float:  # noqa: ANN401 - trio's
        scheduler = Scheduler.current
        if scheduler is None:
            return original(clock)
        moved = scheduler.elapsed / SECOND + _waited.get(clock, 0.0)
        return float(clock.offset) + scheduler.steady + moved

    return current_time


async def _sleep(seconds):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - only its code is used
    from pytest_turris.time_travel.trio_runs import sleep  # noqa: PLC0415 - in trio's namespace

    return await sleep(seconds)


async def sleep(seconds: float) -> None:
    """Pass on the virtual clock; what runs in place of ``trio.sleep``."""
    import trio  # noqa: PLC0415 - loaded, since it calls this

    scheduler = Scheduler.current
    if scheduler is None or not seconds > 0 or not _is_moved(_runner()):
        return await _real_sleep[0](seconds)  # type: ignore[no-any-return] # None
    module, by = scheduler.callers.find(sys._getframe(2), "trio.sleep")  # noqa: SLF001 - as warnings does
    if scheduler.callers.is_real(module):
        return await _real_sleep[0](seconds)  # type: ignore[no-any-return] # None
    task, token = trio.lowlevel.current_task(), trio.lowlevel.current_trio_token()

    def go_on(error: BaseException | None) -> None:
        if sleeper.key is not None:
            sleeper.key = None
            outcome = sys.modules["outcome"]
            trio.lowlevel.reschedule(task, outcome.Error(error) if error else outcome.Value(None))

    def abort(_: object) -> trio.lowlevel.Abort:
        sleeper.key = None
        scheduler.end(sleeper)
        return trio.lowlevel.Abort.SUCCEEDED

    sleeper = scheduler.begin(
        seconds, lambda error: token.run_sync_soon(go_on, error), by=by, module=module, key=task
    )
    await trio.lowlevel.wait_task_rescheduled(abort)
    return None


def _runner() -> Any:  # noqa: ANN401 - trio's
    """The run of the current thread; None in the thread that waits for a run of guest mode."""
    return getattr(sys.modules["trio._core._run"].GLOBAL_RUN_CONTEXT, "runner", None)


def _is_moved(runner: Any) -> bool:  # noqa: ANN401 - trio's
    return type(runner.clock).__name__ == "SystemClock"


def _get_events(original: Callable[[Any, float], Any]) -> Callable[[Any, float], Any]:
    def get_events(manager: Any, timeout: float) -> Any:  # noqa: ANN401 - trio's
        """Wait for a deadline, a socket or a call from another thread."""
        scheduler = Scheduler.current
        runner = _runner()
        if scheduler is None or runner is None or timeout <= 0:
            return original(manager, timeout)
        if runner.waiting_for_idle or not _is_moved(runner):
            return original(manager, timeout)
        return _Waiting(manager, runner, scheduler, original).wait()

    return get_events


class _Waiting:
    """A run of trio that has nothing to run."""

    def __init__(
        self,
        manager: Any,  # noqa: ANN401 - trio's
        runner: Any,  # noqa: ANN401 - trio's
        scheduler: Scheduler,
        get_events: Callable[[Any, float], Any],
    ) -> None:
        self._manager = manager
        self._runner = runner
        self._scheduler = scheduler
        self._get_events = get_events

    def wait(self) -> Any:  # noqa: ANN401 - what the system reports
        """Wait, and return what happened to sockets."""
        pause, began = 0.0, steady_time()
        while True:
            left = self._left()
            if left <= _NEAR:
                self._really_waited(max(0.0, left))
                return self._get_events(self._manager, 0)
            if events := self._get_events(self._manager, 0):
                return events
            if self._scheduler.is_main() and self._step(left):
                pause, began = 0.0, steady_time()
                continue
            pause = min(max(2 * pause, 0.0005), 0.01) if self._scheduler.is_main() else math.inf
            counts = steady_time() - began > _PATIENCE
            if events := self._wait_really(pause, left, counts=counts):
                return events

    def _left(self) -> float:
        """Seconds until the next deadline."""
        if self._runner.runq:
            return 0.0
        runner = self._runner
        return float(runner.clock.deadline_to_sleep_time(runner.deadlines.next_deadline()))

    def _really_waited(self, seconds: float) -> None:
        clock = self._runner.clock
        _waited[clock] = _waited.get(clock, 0.0) + seconds

    def _waits_for(self) -> str:
        found = set(self._leaves(self._runner.main_task))
        if found == {"sleep"}:
            return "sleep"
        sockets = self._manager.statistics()
        # One is what other threads wake the run by.
        real = sockets.tasks_waiting_read > 1 or sockets.tasks_waiting_write
        return "real" if real else "task"

    def _leaves(self, task: Any) -> list[str]:  # noqa: ANN401 - trio's
        if self._scheduler.sleepers.awaited(task):
            return ["sleep"]
        frame = innermost(task.coro)
        if frame is None or frame.f_code.co_name != "_nested_child_finished":
            return ["task"]
        children = [child for nursery in task.child_nurseries for child in nursery.child_tasks]
        return [leaf for child in children for leaf in self._leaves(child)] or ["task"]

    def _step(self, left: float) -> bool:
        waits = self._waits_for()
        if waits == "real":
            return False
        sleeper = self._scheduler.timer(left, lambda _: None)
        try:
            return self._scheduler.step(
                "sleep" if waits == "sleep" else "others", lambda: not self._runner.runq
            )
        finally:
            self._scheduler.end(sleeper)

    def _wait_really(self, pause: float, left: float, *, counts: bool) -> Any:  # noqa: ANN401 - as wait
        began = steady_time()
        waits = self._waits_for()
        real = not self._scheduler.is_main() and waits == "real"
        sleeper = self._scheduler.timer(left, lambda _: self._manager.force_wakeup())
        try:
            with self._scheduler.threads.parked(rests(), "real" if real else "waiting"):
                return self._get_events(self._manager, min(pause, left, 86_400.0))
        finally:
            self._scheduler.end(sleeper)
            if waits == "real" or counts:
                self._really_waited(steady_time() - began)
