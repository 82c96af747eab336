"""Time travel: the sandbox and the code under test, together.

A freeze or travel that the test runs already is moved; only where there is none, one is begun,
of freezegun or, with the option ``time_engine``, of time-machine. Either way event loops keep
the system's own time: else their timeouts never fire, and moving the clock fires all of them.
"""

import contextlib
import datetime as dt
import threading

from pytest_turris.core.access.tokens import AccessToken
from pytest_turris.core.clock import Clock, ClockError
from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel.engines import (
    EngineError,
    StartedTravel,
    begin,
    running,
    system_time,
    zone_offset,
)
from pytest_turris.time_travel.loops import steady_loops
from pytest_turris.time_travel.sleeps import Sleep, Sleeps


class NoTokenError(TurrisKitError, LookupError):
    """There is no token yet whose life could be travelled."""


class TimeTravel:
    """The fixture ``turris_time``: moves the sandbox and the code under test."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._begun: StartedTravel | None = None
        self._lock = threading.RLock()
        self._sleeps = Sleeps(lambda: self.now, self._pass)
        self._loops = contextlib.ExitStack()

    @property
    def now(self) -> dt.datetime:
        """The sandbox's time, in UTC."""
        return self._sandbox.clock.now()

    @property
    def sleeps(self) -> tuple[Sleep, ...]:
        """What the code under test slept: it passed on the virtual clock, at once."""
        return tuple(self._sleeps.recorded)

    @property
    def slept(self) -> dt.timedelta:
        """How long the code under test slept in total."""
        return self._sleeps.total

    def limit_sleeps(self, budget: dt.timedelta | None) -> None:
        """Forget the sleeps so far; a sleep beyond so much in total raises from here on.

        It raises ``SleptTooLongError``, a BaseException, where the code under test sleeps.
        None is without bounds.
        """
        self._sleeps.recorded.clear()
        self._sleeps.budget = budget

    def start(self) -> None:
        """Stop time at the next full second, unless the test stopped or moved it already.

        Raises:
            EngineError: The engine that the option names is not installed.
        """
        # Pydantic builds its schemas on first use; under a freeze they stay broken for good.
        # The core's models, built at import time, have loaded that code by now.
        if running() is None:
            # A full second: ``iat`` and ``exp`` then are exact. The next: time never goes back.
            moment = Clock.process_time().replace(microsecond=0) + dt.timedelta(seconds=1)
            options = self._sandbox.options
            self._begun = begin(options.time_engine, moment, tick=options.time_tick)
        self._loops.enter_context(steady_loops())
        self._sandbox.clock.move_with(self._pass, system_time)
        self._sleeps.install()

    def stop(self) -> None:
        """Let go of the clock and of sleeps, and end the freeze if it was begun here."""
        self._sandbox.faults.hang_up()  # a slow one moves the clock
        self._sleeps.remove()
        self._sandbox.clock.move_with(None)
        self._loops.close()
        if self._begun is not None:
            self._begun.stop()
            self._begun = None

    def move_to(self, moment: dt.datetime) -> dt.datetime:
        """Go to a moment of the sandbox's time, before or after.

        Raises:
            ClockError: The moment has no time zone.
        """
        if moment.tzinfo is None:
            raise ClockError(f"{moment} has no time zone; write dt.datetime(..., tzinfo=dt.UTC)")
        engine = running()
        if engine is None:
            raise EngineError("the freeze that turris_time moved was ended by other code")
        # Any offset between sandbox and process stays: it is a skew that the test asked for.
        engine.move_to(moment.astimezone(dt.UTC) - self._sandbox.clock.offset - zone_offset())
        return self.now

    def advance(self, delta: dt.timedelta | None = None, /, **parts: float) -> dt.datetime:
        """Let time pass: ``advance(minutes=55, milliseconds=1)``.

        Raises:
            ValueError: The step is negative; ``move_to`` goes back.
        """
        return self._sandbox.clock.advance(delta, **parts)

    def to_refresh_point(
        self, *, plus: dt.timedelta = dt.timedelta(0), token: AccessToken | None = None
    ) -> dt.datetime:
        """To where a client may still use a token for the last time, plus something.

        That is its issue + TTL - buffer, 55:00 after the issue by default. The vendor's rule
        is strict: refresh when elapsed **>** 55 minutes, so ``plus`` a millisecond refreshes.

        Raises:
            NoTokenError: None was issued yet.
        """
        life = self._token(token)
        return self.move_to(life.expires_at - self._sandbox.options.refresh_buffer + plus)

    def to_expiry(
        self, *, plus: dt.timedelta = dt.timedelta(0), token: AccessToken | None = None
    ) -> dt.datetime:
        """To the moment from which a token is refused, plus something.

        Raises:
            NoTokenError: None was issued yet.
        """
        return self.move_to(self._token(token).expires_at + plus)

    def __repr__(self) -> str:
        return f"<TimeTravel {self.now:%Y-%m-%d %H:%M:%S.%f}Z>"

    def _pass(self, step: dt.timedelta) -> None:
        with self._lock:  # threads that sleep at the same time both pass
            self.move_to(self.now + step)

    def _token(self, token: AccessToken | None) -> AccessToken:
        found = token or self._sandbox.tokens.newest
        if found is None:
            raise NoTokenError(
                "no token was issued yet: make a call with the client first, or issue one with "
                "turris.tokens.issue(turris.client)"
            )
        return found
