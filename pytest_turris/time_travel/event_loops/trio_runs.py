"""Trio under time travel, as ``loops.py`` does it for asyncio.

Trio looks at a socket only while a task waits for it, so open connections do not matter here.
"""

import _thread
import contextlib
import math
import select
import sys
import types
from collections.abc import Callable
from threading import TIMEOUT_MAX
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

from pytest_turris.process.patch import Patch
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.chains import frames
from pytest_turris.time_travel.scheduler import Scheduler
from pytest_turris.time_travel.sleeps import SECOND
from pytest_turris.time_travel.waits import LONGEST, TURNS
from pytest_turris.time_travel.watching.system_state import rests

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


def trio_call_after(seconds: float, call: Callable[[], object]) -> Callable[[], None]:
    """Call something from the current run after real seconds; return how to cancel that."""
    import trio  # noqa: PLC0415 - as in ``trio_sleep``

    token, over = trio.lowlevel.current_trio_token(), _thread.allocate_lock()
    over.acquire()

    def wait() -> None:  # pragma: no cover - coverage does not follow its thread
        if not over.acquire(timeout=min(seconds, TIMEOUT_MAX)):
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(call)

    _thread.start_new_thread(wait, ())
    return over.release


async def let_trio_tasks_run() -> None:
    """Let the other tasks of the current run continue until each waits."""
    import trio.testing  # noqa: PLC0415 - as above

    with trio.CancelScope() as scope:
        turns: Any = _Turns(scope.cancel)
        trio.lowlevel.add_instrument(turns)
        try:
            await trio.testing.wait_all_tasks_blocked()
        finally:
            trio.lowlevel.remove_instrument(turns)


def has_events() -> bool:
    """Whether something happened to a socket of the current run; it stays so until the run asks."""
    manager: Any = _runner().io_manager
    queue = getattr(manager, "_epoll", None) or getattr(manager, "_kqueue", None)
    return queue is not None and bool(select.select([queue], [], [], 0)[0])


def time_to_next_deadline() -> float:
    """Seconds until the next deadline of the current run; infinite if none moves with the clock."""
    runner = _runner()
    return _time_left(runner) if _is_moved(runner) else math.inf


def _time_left(runner: Any) -> float:  # noqa: ANN401 - trio's
    return float(runner.clock.deadline_to_sleep_time(runner.deadlines.next_deadline()))


class _Turns:
    """An instrument of trio's that does something after a number of turns of a run."""

    def __init__(self, end: Callable[[], object]) -> None:
        self._left = TURNS
        self._end = end

    def before_io_wait(self, _: float) -> None:
        """Count a turn."""
        self._left -= 1
        if self._left == 0:
            self._end()


def _current_time(original: Callable[[Any], float]) -> Callable[[Any], float]:
    def current_time(clock: Any) -> float:  # noqa: ANN401 - trio's
        scheduler = Scheduler.current
        if scheduler is None:  # pragma: no cover - in another thread, while a travel begins or ends
            return original(clock)
        moved = scheduler.elapsed / SECOND + _waited.get(clock, 0.0)
        return float(clock.offset) + scheduler.steady + moved

    return current_time


async def _sleep(seconds):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - only its code is used
    from pytest_turris.time_travel.event_loops.trio_runs import trio_sleep  # noqa: PLC0415 - in trio's namespace

    return await trio_sleep(seconds)


async def trio_sleep(seconds: float) -> None:
    """Pass on the virtual clock; what runs in place of ``trio.sleep``."""
    import trio  # noqa: PLC0415 - loaded, since it calls this

    scheduler = Scheduler.current
    if scheduler is None or not seconds > 0 or not _is_moved(_runner()):
        return await _real_sleep[0](seconds)  # type: ignore[no-any-return] # None
    seconds = 0.0 + seconds  # as trio adds it to its time, with the same error for other types
    module, by = scheduler.callers.find(sys._getframe(2), "trio.sleep")  # noqa: SLF001 - as warnings does
    if scheduler.callers.is_real(module):
        return await _pause(scheduler, seconds, module)
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


async def _pause(scheduler: Scheduler, seconds: float, module: str) -> None:
    """Sleep really: trio's own sleep ends by its clock, which moves here."""
    import trio  # noqa: PLC0415 - as above

    task, over = trio.lowlevel.current_task(), trio.Event()
    cancel = trio_call_after(seconds, over.set)
    scheduler.begin_pause(task, seconds, module)
    try:
        await over.wait()
    finally:
        scheduler.pauses.discard(task)
        cancel()


def _runner(caller: FrameType | None = None) -> Any:  # noqa: ANN401 - trio's
    """The run of the current thread.

    Args:
        caller: In guest mode, a thread without a run waits for one; it is called by a function of
            trio's that knows which.
    """
    runner = getattr(sys.modules["trio._core._run"].GLOBAL_RUN_CONTEXT, "runner", None)
    if runner is None and caller is not None:
        runner = getattr(caller.f_locals.get("self"), "runner", None)
    return runner


def _is_moved(runner: Any) -> bool:  # noqa: ANN401 - trio's
    return type(runner.clock).__name__ == "SystemClock"


def _get_events(original: Callable[[Any, float], Any]) -> Callable[[Any, float], Any]:
    def get_events(manager: Any, timeout: float) -> Any:  # noqa: ANN401 - trio's
        """Wait for a deadline, a socket or a call from another thread."""
        scheduler = Scheduler.current
        if scheduler is None or timeout <= 0:
            return original(manager, timeout)
        runner = _runner(sys._getframe(1))  # noqa: SLF001 - as warnings does
        if runner is None or runner.waiting_for_idle or not _is_moved(runner):
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
            left = _time_left(self._runner)
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

    def _really_waited(self, seconds: float) -> None:
        clock = self._runner.clock
        _waited[clock] = _waited.get(clock, 0.0) + seconds

    def _waits_for(self) -> str:
        found = set(self._leaves(self._runner.main_task))
        if found == {"sleep"}:
            return "sleep"
        if "pause" in found:
            return "real"
        sockets = self._manager.statistics()
        # One is the socket by which other threads wake the run.
        real = sockets.tasks_waiting_read > 1 or sockets.tasks_waiting_write
        return "real" if real else "task"

    def _leaves(self, task: Any) -> list[str]:  # noqa: ANN401 - trio's
        if self._scheduler.sleepers.awaited(task):
            return ["sleep"]
        if task in self._scheduler.pauses:
            return ["pause"]
        nurseries = [
            frame.f_locals["self"]
            for frame in frames(task.coro)
            if frame.f_code.co_name == "_nested_child_finished"
        ]
        children = [child for nursery in nurseries for child in nursery.child_tasks]
        return [leaf for child in children for leaf in self._leaves(child)] or ["task"]

    def _holds(self) -> bool:
        """Whether neither another thread nor the clock has handed something to the run."""
        return not self._runner.entry_queue.size()

    def _step(self, left: float) -> bool:
        waits = self._waits_for()
        if waits == "real":
            return False
        sleeper = self._scheduler.timer(left, lambda _: None)
        try:
            return self._scheduler.step("sleep" if waits == "sleep" else "others", self._holds)
        finally:
            self._scheduler.end(sleeper)

    def _wait_really(self, pause: float, left: float, *, counts: bool) -> Any:  # noqa: ANN401 - as wait
        began = steady_time()
        waits = self._waits_for()
        real = not self._scheduler.is_main() and waits == "real"
        resting, queue = rests(), self._runner.entry_queue
        sleeper = self._scheduler.timer(left, lambda _: queue.run_sync_soon(lambda: None))
        try:
            with self._scheduler.threads.parked(
                lambda: self._holds() and resting(), "real" if real else "waiting"
            ):
                return self._get_events(self._manager, min(pause, left, LONGEST))
        finally:
            self._scheduler.end(sleeper)
            if waits == "real" or counts:
                self._really_waited(steady_time() - began)
