"""Threads that wait: ``time.sleep``, and everything that waits with ``threading``, such as queues.

A thread that waits with the standard library's Python code waits in
``Condition.wait`` or in ``Thread.join``: events, semaphores, barriers, queues, futures, timers.
"""

import _thread
import operator
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from pytest_turris.process.c_function import CFunctionPatch
from pytest_turris.process.patch import Patch
from pytest_turris.time_travel.scheduler import Scheduler
from pytest_turris.time_travel.sleeps import SECOND, Sleeper
from pytest_turris.time_travel.waits import hold, wait

_LONGEST = 9_223_372_036.0
"""The most that ``time.sleep`` takes."""

_real: dict[str, Callable[[float], None]] = {}


def real_sleep(seconds: float) -> None:
    """Really sleep, also under ``turris_time``."""
    _real["sleep"](seconds)


def _virtual_sleep(original: Callable[[float], None]) -> Callable[[float], None]:
    _real["sleep"] = original

    def sleep(seconds: float, /) -> None:
        """Pass on the virtual clock."""
        scheduler = Scheduler.current
        duration = _duration(seconds, _LONGEST)
        if scheduler is None or duration is None:
            return original(seconds)
        module, by = scheduler.callers.find(sys._getframe(1), "time.sleep")  # noqa: SLF001 - as warnings does
        if scheduler.callers.is_real(module):
            return scheduler.sleep_really(duration, module, original)
        return _sleep(scheduler, duration, by, module, original)

    return sleep


def _duration(seconds: Any, longest: float) -> float | None:  # noqa: ANN401 - whatever the code under test gives
    """Seconds as the interpreter's own waits read them: a float, or whatever is an integer.

    Args:
        seconds: What is to be read.
        longest: The most that the wait takes.

    Returns:
        None if there is nothing to wait for, or the wait raises its usual error.
    """
    try:
        number = seconds if isinstance(seconds, float) else operator.index(seconds)
    except TypeError:
        return None
    return float(number) if 0 < number <= longest else None


def _timeout(timeout: Any) -> float | None:  # noqa: ANN401 - as above
    """The same for a wait of ``threading``, which compares its timeout with 0 before."""
    return _duration(timeout, threading.TIMEOUT_MAX) if timeout > 0 else None


def _sleep(
    scheduler: Scheduler, seconds: float, by: str, module: str, original: Callable[[float], None]
) -> None:
    gate, errors = _thread.allocate_lock(), list[BaseException]()
    gate.acquire()

    def wake(error: BaseException | None) -> None:
        errors.extend([error] if error else [])
        gate.release()

    sleeper = scheduler.begin(seconds, wake, by=by, module=module)
    try:
        hold(scheduler, gate, sleeper, waiting="sleep")
    finally:
        scheduler.end(sleeper)
    if errors:
        raise errors[0]
    if scheduler.over and (left := sleeper.due - scheduler.elapsed) > 0:
        original(left / SECOND)


def _condition_wait(original: Callable[..., bool]) -> Callable[..., bool]:
    def wait(self: Any, timeout: float | None = None) -> bool:  # noqa: ANN401 - its private members
        """Wait for a notification, or until the timeout has passed on the virtual clock."""
        scheduler = Scheduler.current
        if scheduler is None or not self._is_owned():
            return original(self, timeout)
        seconds = None if timeout is None else _timeout(timeout)
        if seconds is None and timeout is not None:
            return original(self, timeout)
        gate = _thread.allocate_lock()
        gate.acquire()
        self._waiters.append(gate)
        saved = self._release_save()
        notified = False
        try:
            notified = _wait(scheduler, gate, seconds, self._waiters)
        finally:
            self._acquire_restore(saved)
            if not notified and gate in self._waiters:
                self._waiters.remove(gate)
        return notified

    return wait


def _wait(scheduler: Scheduler, gate: Any, timeout: float | None, waiters: Any) -> bool:  # noqa: ANN401 - locks
    if timeout is None:
        return hold(scheduler, gate)
    module, by = scheduler.callers.find(sys._getframe(2), "Condition.wait")  # noqa: SLF001 - as above
    if scheduler.callers.is_real(module):
        return hold(scheduler, gate, real=timeout)
    by_clock: list[BaseException | None] = []

    def wake(error: BaseException | None) -> None:
        gate.release()
        by_clock.append(error)

    sleeper = scheduler.begin(timeout, wake, by=by, module=module)
    try:
        hold(scheduler, gate, sleeper)
    finally:
        scheduler.end(sleeper)
    if not by_clock:
        return True
    if error := by_clock[0]:
        raise error
    if scheduler.over and (left := sleeper.due - scheduler.elapsed) > 0 and gate in waiters:
        return bool(gate.acquire(timeout=min(left / SECOND, threading.TIMEOUT_MAX)))
    return False


def _thread_join(original: Callable[..., None]) -> Callable[..., None]:
    def join(self: threading.Thread, timeout: float | None = None) -> None:
        """Wait for the end of a thread; what it sleeps passes on the virtual clock."""
        scheduler = Scheduler.current
        if scheduler is None or not self.is_alive() or self is threading.current_thread():
            return original(self, timeout)
        seconds = None if timeout is None else _timeout(timeout)
        if seconds is None and timeout is not None:
            return original(self, timeout)
        if timeout is None and not scheduler.is_main():
            with scheduler.threads.parked(lambda: _runs(self)):
                return original(self)
        return _join(scheduler, self, seconds, original)

    return join


def _join(
    scheduler: Scheduler,
    thread: threading.Thread,
    timeout: float | None,
    original: Callable[..., None],
) -> None:
    module, by = scheduler.callers.find(sys._getframe(2), "Thread.join")  # noqa: SLF001 - as above
    real = timeout is not None and scheduler.callers.is_real(module)
    sleeper: Sleeper | None = None
    errors: list[BaseException] = []
    if timeout is not None and not real:
        sleeper = scheduler.begin(
            timeout, lambda error: errors.extend([error] if error else []), by=by, module=module
        )

    def holds() -> bool:
        return _runs(thread) and (sleeper is None or sleeper.queued)

    def ended(pause: float) -> bool:
        original(thread, pause)
        return not thread.is_alive() or (sleeper is not None and not sleeper.queued)

    try:
        with scheduler.threads.parked(holds):
            if scheduler.is_main():
                wait(
                    scheduler,
                    ended,
                    holds,
                    sleeper,
                    timeout if real else None,
                    asleep=thread.ident,
                )
            elif real:
                original(thread, timeout)
            else:
                while not ended(0.002):
                    pass
    finally:
        if sleeper is not None:
            scheduler.end(sleeper)
    if errors:
        raise errors[0]


def _runs(thread: threading.Thread) -> bool:
    """Whether a thread is alive and not about to end: then it is in no list any more."""
    return thread.is_alive() and thread in threading.enumerate()


def virtual_waits() -> tuple[CFunctionPatch, Patch]:
    """What is replaced while threads wait by the virtual clock."""
    return CFunctionPatch(time.sleep, _virtual_sleep), Patch(
        (threading.Condition, "wait", _condition_wait), (threading.Thread, "join", _thread_join)
    )


_real["sleep"] = time.sleep
