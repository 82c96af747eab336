"""Decides when the clock moves: when the test moves it, or when the test's own call sleeps.

The model is that of Go's ``testing/synctest`` and of trio's ``MockClock``: time moves to the
earliest due time once everything waits. Here it also has to be the test that waits: a thread or
task in the background never moves the clock by itself.
"""

import _thread
import asyncio
import contextlib
import datetime as dt
import math
import threading
from collections.abc import Callable
from typing import ClassVar, Literal

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.callers import Callers
from pytest_turris.time_travel.sleeps import (
    Sleep,
    Sleeper,
    Sleepers,
    SleepRecord,
    SleptTooLongError,
    as_duration,
    from_seconds,
    microseconds,
)
from pytest_turris.time_travel.threads import Threads

Waiting = Literal["sleep", "others"]
"""What the test's own call waits for: its own sleep, or for other threads and tasks."""

MAX_TURNS = 10_000
"""How often sleepers wake within one move of the clock; after that once more, at its end."""

_WATCH = 0.01


class Scheduler:
    """The clock of the process, and what waits for it.

    Args:
        now: The process's time.
        shift: Moves the process's time forward.
        callers: Distinguishes the code under test from the rest.
        pause: Really sleeps.
    """

    current: ClassVar["Scheduler | None"] = None
    """The active one: that of ``turris_time``."""

    def __init__(
        self,
        now: Callable[[], dt.datetime],
        shift: Callable[[dt.timedelta], object],
        callers: Callers,
        pause: Callable[[float], object],
    ) -> None:
        self._now = now
        self._shift = shift
        self._pause = pause
        self.callers = callers
        self.threads: Threads = Threads(callers, pause)
        self.main: int = threading.get_ident()
        """The test's own thread."""
        self.sleepers: Sleepers = Sleepers()
        self.record: SleepRecord = SleepRecord()
        self.pauses: set[object] = set()
        """What tasks await while they really sleep."""
        self.elapsed: float = 0
        """How far the clock moved, in microseconds. It never goes back, and starts at 0."""
        self.steady: float = steady_time()
        """The system's monotonic clock at that moment."""
        self._seen = now()
        self._lock = _thread.RLock()
        self._mover = _thread.RLock()
        self._over = False
        self._watched = False

    def begin_at(self, now: dt.datetime) -> None:
        """Count from here on."""
        self._seen = now
        self.steady = steady_time()

    def sync(self) -> float:
        """Follow moves that other code made, such as a tick of the user's own freeze."""
        # Two threads that read at once would count a move twice, or set ``elapsed`` back.
        with self.threads.holding(self._lock):
            return self._follow()

    def _follow(self) -> float:
        now = self._now()
        if now > self._seen:
            self.elapsed += microseconds(now - self._seen)
        self._seen = now
        return self.elapsed

    def begin(
        self,
        seconds: float,
        wake: Callable[[BaseException | None], object],
        *,
        by: str = "",
        module: str = "",
        key: object = None,
    ) -> Sleeper:
        """Queue what waits; without ``by`` it is a deadline, and no sleep."""
        duration = from_seconds(seconds)
        with self.threads.holding(self._lock):
            blocks = key is None and asyncio._get_running_loop() is not None  # noqa: SLF001 - get_running_loop raises
            at = self._now()
            sleep = Sleep(at, as_duration(duration), by, module, blocks) if by else None
            sleeper = Sleeper(self._follow() + duration, wake, sleep, threading.get_ident(), key)
            self.sleepers.add(sleeper)
        if sleeper.thread != self.main and not self._watched:
            self._watched = True
            # No ``Thread``: it would be one more among those that are looked at.
            _thread.start_new_thread(self._watch, ())
        return sleeper

    def timer(self, left: float, wake: Callable[[BaseException | None], object]) -> Sleeper:
        """Queue a deadline after some seconds, rounded up to a microsecond."""
        return self.begin(left + 0.4e-6, wake)

    def end(self, sleeper: Sleeper) -> None:
        """Take out what no longer waits."""
        with self.threads.holding(self._lock):
            self.sleepers.discard(sleeper)

    def step(self, waiting: Waiting, holds: Callable[[], bool], asleep: int | None = None) -> bool:
        """Move to the earliest due time, unless other code works; return whether anything woke.

        Only called while the test's own call waits.

        Args:
            waiting: What it waits for.
            holds: Whether nothing has let it go yet.
            asleep: The one thread that it waits for, if that is known.
        """
        if not self._mover.acquire(blocking=False):
            return False  # pragma: no cover - another thread moves the clock at this moment
        try:
            known = asleep is not None and self._sleeps(asleep)
            before: int | None = None
            if waiting == "sleep" or known:
                self.threads.settle(self.main)
            else:
                before = self.sleepers.added
                if not self.threads.all_wait(self.main):
                    return False
            # This comes last: until the others wait, one of them could end the wait.
            return holds() and self._move_to_earliest(before)
        finally:
            self._mover.release()

    def _sleeps(self, thread: int) -> bool:
        """Whether a thread sleeps: in a timed wait, it may wait for one that works."""
        return self.threads.is_parked(thread) and any(
            sleeper.sleep is not None and sleeper.sleep.by.endswith("sleep")
            for sleeper in self.sleepers
            if sleeper.thread == thread
        )

    def advance(self, delta: dt.timedelta) -> None:
        """Let time pass: stop at each due time, and let what is due run."""
        with self.threads.holding(self._mover, to_move=True):
            self.threads.settle(threading.get_ident())
            target = self.sync() + microseconds(delta)
            turns = 0
            while (sleeper := self.sleepers.earliest()) and sleeper.due <= target:
                turns += 1
                if turns > MAX_TURNS:
                    break
                self._go(sleeper.due)
                self.threads.settle(threading.get_ident())
            self._go(target)
            if turns:
                self.threads.settle(threading.get_ident())

    def settle(self) -> None:
        """Let the other threads run until each waits; the clock stands meanwhile."""
        with self.threads.holding(self._mover, to_move=True):
            self.threads.settle(threading.get_ident())

    def sleep_really(self, seconds: float, module: str, sleep: Callable[[float], object]) -> None:
        """Let a module sleep that is left out, and note for how long."""
        with self.threads.parked(lambda: True, "real"):
            sleep(seconds)
        if self.callers.is_left_out(module):
            self.record.real[module] += seconds

    def begin_pause(self, key: object, seconds: float, module: str) -> None:
        """Note that a task sleeps really: the clock stands while the test's call waits for it."""
        self.pauses.add(key)
        if self.callers.is_left_out(module):
            self.record.real[module] += seconds

    def time_to_next(self) -> dt.timedelta | None:
        """How long until something is due; None if nothing waits."""
        with self._lock:
            sleeper = self.sleepers.earliest()
            if sleeper is None or sleeper.due == math.inf:
                return None
            return as_duration(max(0, sleeper.due - self._follow()))

    def is_main(self) -> bool:
        """Whether the current thread is the test's own."""
        return threading.get_ident() == self.main

    def close(self) -> None:
        """Release everything that waits: the rest of its wait is real."""
        self._over = True
        with self._lock:
            for sleeper in self.sleepers:
                self.sleepers.discard(sleeper)
                with contextlib.suppress(RuntimeError):  # a loop that is closed
                    sleeper.wake(None)

    @property
    def over(self) -> bool:
        """Whether the travel ended."""
        return self._over

    def _move_to_earliest(self, added: int | None = None) -> bool:
        """Move, unless others were queued than these: a thread that queued one was at work."""
        with self._lock:
            if added not in (None, self.sleepers.added):
                return False
            self._follow()
            sleeper = self.sleepers.earliest()
            if sleeper is None:
                return False
            if sleeper.due > self.elapsed and (error := self._too_long(sleeper.due)):
                return self._refuse(sleeper, error)
            self.pass_to(sleeper.due)
        return True

    def pass_to(self, moment: float) -> None:
        """Move the clock because the test's own call waits."""
        with self._lock:
            self.record.passed += max(0, moment - self.elapsed)
            self._go(moment)

    def _too_long(self, due: float) -> SleptTooLongError | None:
        return self.record.too_long(due - self.elapsed, self._now())

    def _refuse(self, earliest: Sleeper, error: SleptTooLongError) -> bool:
        """Raise in the newest sleeper of the test's own call, or of what it waits for."""
        asleep = [sleeper for sleeper in self.sleepers if sleeper.sleep]
        own = [sleeper for sleeper in asleep if sleeper.thread == self.main]
        if not asleep:
            if earliest.due == math.inf:
                return False
            self.pass_to(earliest.due)
            return True
        last = (own or asleep)[-1]
        self.sleepers.discard(last)
        sleep = last.sleep
        assert sleep is not None  # noqa: S101 - chosen so
        whose = f" in {sleep.module}" if sleep.module else ""
        error.args = (f"{sleep.by}({sleep.duration.total_seconds():g}){whose} {error}",)
        last.wake(error)
        return True

    def _go(self, moment: float) -> None:
        """Set the clock to a moment, and wake what is due."""
        with self._lock:
            if moment > self.elapsed:
                self._shift(as_duration(moment - self.elapsed))
                self.elapsed = moment
                self._seen = self._now()
            while (sleeper := self.sleepers.earliest()) and sleeper.due <= self.elapsed:
                self.sleepers.discard(sleeper)
                if sleeper.sleep:
                    self.record.sleeps.append(sleeper.sleep)
                self.threads.woke(sleeper.thread)
                with contextlib.suppress(RuntimeError):  # woken already, or a loop that is closed
                    sleeper.wake(None)

    def _watch(self) -> None:  # pragma: no cover - coverage does not follow its thread
        """Wake what other code's moves made due; move the clock while the test waits in C."""
        test = next(t for t in threading.enumerate() if t.ident == self.main)
        blocked = 0
        while not self._over and self.sleepers.earliest():
            self._pause(_WATCH)
            with self._lock:
                self._go(self._follow())
            waits = self.threads.blocked(test)
            blocked = blocked + 1 if waits else 0
            if blocked > 1:
                self.step("others", lambda: self.threads.blocked(test))
        self._watched = False
