"""Time travel: the sandbox and the code under test, together.

A freeze or travel of the test is moved; only without one, one is started, of freezegun or, with the
option ``time_engine``, of time-machine. In both cases event loops keep the system's own time:
otherwise their timeouts would never fire, or moving the clock would fire all of them.
"""

import contextlib
import datetime as dt
import math
import threading

from pytest_turris.core.access.tokens import AccessToken
from pytest_turris.core.clock import LATEST, Clock, ClockError, bounded, step_of, zoned
from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.process.system_clock import system_time
from pytest_turris.time_travel.blocking import real_sleep, virtual_waits
from pytest_turris.time_travel.callers import Callers
from pytest_turris.time_travel.clocks import captured, moves_clocks
from pytest_turris.time_travel.engines import (
    EngineError,
    EngineName,
    begin_travel,
    choose,
    is_frozen,
    refuse_green_threads,
    running,
)
from pytest_turris.time_travel.event_loops import idle_loops
from pytest_turris.time_travel.event_loops.current_loop import let_tasks_run, time_to_next_timer
from pytest_turris.time_travel.event_loops.loops import moves_loops, shift_back
from pytest_turris.time_travel.event_loops.trio_runs import moves_trio
from pytest_turris.time_travel.scheduler import MAX_TURNS, Scheduler
from pytest_turris.time_travel.sleeps import Sleep, as_duration

_MARGIN = dt.timedelta(seconds=1)
"""How far from a boundary a moment on a running clock may be."""


class NoTokenError(TurrisKitError, LookupError):
    """There is no token yet to which time could move."""


class TimeTravel:
    """The fixture ``turris_time``: moves the sandbox and the code under test."""

    def __init__(self, sandbox: Sandbox, engine: EngineName | None = None) -> None:
        """Travel for a sandbox; ``engine`` is what the test's own decorator or marker uses."""
        self._sandbox = sandbox
        self._engine = engine
        self._patched = contextlib.ExitStack()
        self._mover: int | None = None
        """The thread in which the test itself moves the clock at this moment."""
        self._scheduler = Scheduler(
            Clock.process_time,
            self._shift,
            Callers(sandbox.options.time_real_modules.split()),
            real_sleep,
        )

    @property
    def now(self) -> dt.datetime:
        """The sandbox's time, in UTC."""
        return self._sandbox.clock.now()

    @property
    def sleeps(self) -> tuple[Sleep, ...]:
        """What the code under test slept, in the order in which the sleeps ended."""
        return tuple(self._scheduler.record.sleeps)

    @property
    def slept(self) -> dt.timedelta:
        """How far the test's own call moved the clock: simultaneous sleeps count once."""
        return as_duration(self._scheduler.record.passed)

    @property
    def really_slept(self) -> dict[str, float]:
        """How many real seconds each module slept that the option ``time_real_modules`` names."""
        return dict(self._scheduler.record.real)

    def captured_clocks(self) -> tuple[str, ...]:
        """The likely reasons if the clock of the code under test did not move; empty if none.

        Clocks that freezegun cannot reach, each with what holds it, and libraries whose clock is
        in C.
        """
        return captured(frozen=is_frozen())

    def limit_sleeps(self, budget: dt.timedelta | None) -> None:
        """Forget the sleeps so far; from here on, a call that waits longer than this raises.

        It raises ``SleptTooLongError``, a BaseException, where the code under test sleeps.
        Simultaneous sleeps count once; sleeps in the background do not count. None means no limit.
        """
        self._scheduler.record.forget(budget)

    def start(self) -> None:
        """Stop time at the last full second, unless the test stopped or moved it already.

        Raises:
            EngineError: The engine that the option names is not installed, or gevent or eventlet
                patched the threads of the process.
            CFunctionError: This Python is not CPython.
        """
        refuse_green_threads()
        # Pydantic builds its schemas on first use; under a freeze they stay broken for good.
        # The core's models, built at import time, have loaded that code by now.
        with contextlib.ExitStack() as stack:
            if running() is None:
                # A full second, so that ``iat`` and ``exp`` are exact. The last one, so that a
                # process on the machine's time accepts a token at once.
                moment = Clock.process_time().replace(microsecond=0)
                options = self._sandbox.options
                engine = choose(options.time_engine, self._engine)
                stack.callback(begin_travel(engine, moment, tick=options.time_tick).stop)
            self._scheduler.begin_at(Clock.process_time())
            clocks = moves_clocks(wall=is_frozen())
            for patch in (*virtual_waits(), moves_loops(), moves_trio(), *clocks):
                stack.enter_context(patch)
            self._sandbox.clock.move_with(self._move, system_time)
            Scheduler.current = self._scheduler
            self._patched = stack.pop_all()

    def stop(self) -> None:
        """Release the clock and the sleeps, and end the freeze if it was started here."""
        self._sandbox.faults.hang_up()  # a slow one moves the clock
        if Scheduler.current is self._scheduler:
            self._scheduler.close()
            shift_back(self._scheduler)
            Scheduler.current = None
        self._sandbox.clock.move_with(None)
        self._patched.close()

    def move_to(self, moment: dt.datetime) -> dt.datetime:
        """Move to a moment of the sandbox's time, before or after.

        On the way forward it stops at each due time, and lets what is due run. Code that sleeps
        while time goes back still sleeps for the rest of its time.

        Raises:
            ClockError: The moment has no time zone, or is outside 1970 to 9999.
        """
        # Any offset between sandbox and process stays: it is a skew that the test asked for.
        delta = bounded(zoned(moment)) - self.now
        if delta < dt.timedelta(0):
            self._shift(delta)
            self._scheduler.sync()
        else:
            idle_loops.advance_loops(self._scheduler, delta)
        return self.now

    def advance(self, delta: dt.timedelta | None = None, /, **parts: float) -> dt.datetime:
        """Let time pass: ``advance(minutes=55, milliseconds=1)``.

        Raises:
            ValueError: The step is negative; ``move_to`` goes back.
        """
        self._mover = threading.get_ident()
        try:
            return self._sandbox.clock.advance(delta, **parts)
        finally:
            self._mover = None

    async def aadvance(self, delta: dt.timedelta | None = None, /, **parts: float) -> dt.datetime:
        """The same in a coroutine: the other tasks of its loop run at each due time.

        Raises:
            ClockError: The step is negative; ``move_to`` goes back.
        """
        step = step_of(delta, parts)
        if step > LATEST - self.now:
            raise ClockError(f"advance by {step} would go beyond the year 9999")
        await let_tasks_run()  # a task that was just made may wait for something soon
        end = self.now + step
        for _ in range(MAX_TURNS):
            due = self._time_to_next()
            if due is None or self.now + due >= end:
                break
            self.advance(due)
            await let_tasks_run()
        self.advance(max(end - self.now, min(step, dt.timedelta(0))))
        await let_tasks_run()
        return self.now

    def _time_to_next(self) -> dt.timedelta | None:
        """How long until a sleep ends, or a timer of the running loop; None if nothing waits."""
        sleeps, timer = self._scheduler.time_to_next(), time_to_next_timer()
        if timer == math.inf:
            return sleeps
        # Rounded up, as the loop fires no timer before its moment; but not for the last digits of
        # its time, which is a float.
        due = dt.timedelta(microseconds=max(int(timer > 0), math.ceil(timer * 1e6 - 1e-3)))
        return due if sleeps is None else min(due, sleeps)

    async def amove_to(self, moment: dt.datetime) -> dt.datetime:
        """``move_to`` in a coroutine: the other tasks of its loop run at each due time.

        Raises:
            ClockError: The moment has no time zone, or is outside 1970 to 9999.
        """
        if zoned(moment) > self.now:
            return await self.aadvance(moment - self.now)
        return self.move_to(moment)

    def to_refresh_point(
        self, *, plus: dt.timedelta = dt.timedelta(0), token: AccessToken | None = None
    ) -> dt.datetime:
        """Move to the last moment at which a client may still use a token, plus something.

        That is its issue + TTL - buffer, 55:00 after the issue by default. The vendor's rule
        is strict: refresh when elapsed **>** 55 minutes, so ``plus`` a millisecond refreshes.

        Raises:
            NoTokenError: None was issued yet.
        """
        life = self._token(token)
        point = life.expires_at - self._sandbox.options.refresh_buffer
        if plus <= dt.timedelta(0):
            self._require_standing(plus)
        return self.move_to(point + plus)

    def to_expiry(
        self, *, plus: dt.timedelta = dt.timedelta(0), token: AccessToken | None = None
    ) -> dt.datetime:
        """Move to the moment from which a token is refused, plus something.

        Raises:
            NoTokenError: None was issued yet.
        """
        expires_at = self._token(token).expires_at
        if plus < dt.timedelta(0):
            self._require_standing(plus)
        return self.move_to(expires_at + plus)

    def __repr__(self) -> str:
        return f"<TimeTravel {self.now:%Y-%m-%d %H:%M:%S.%f}Z>"

    def _require_standing(self, plus: dt.timedelta) -> None:
        if plus > -_MARGIN and self._sandbox.clock.is_running():
            raise ClockError(
                "the clock runs, so this moment is over before it can be used. Fix: leave the "
                f"option time_tick out, or stay {_MARGIN} away from the boundary"
            )

    @staticmethod
    def _shift(delta: dt.timedelta) -> None:
        engine = running()
        if engine is None:
            raise EngineError("the freeze that turris_time moved was ended by other code")
        engine.shift(delta)

    def _move(self, delta: dt.timedelta) -> None:
        # Not for a slow answer: its client may hold a lock that a task on an idle loop waits for.
        own = self._mover == threading.get_ident()
        (idle_loops.advance_loops if own else Scheduler.advance)(self._scheduler, delta)

    def _token(self, token: AccessToken | None) -> AccessToken:
        found = token or self._sandbox.tokens.newest
        if found is None:
            raise NoTokenError(
                "no token was issued yet: make a call with the client first, or issue one with "
                "turris.tokens.issue(turris.client)"
            )
        return found
