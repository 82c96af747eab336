"""Time travel: the sandbox and the code under test, together.

A freeze or travel that the test runs already is moved; only where there is none, one of
freezegun's is begun, always with ``real_asyncio=True``: without it, timeouts of asyncio never
fire, and moving the clock fires all of them at once.
"""

import datetime as dt
import sys
from typing import Any, Protocol

from pytest_turris.core.clock import Clock
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.tokens import AccessToken


class NoTokenError(LookupError):
    """There is no token yet whose life could be travelled."""


class Engine(Protocol):
    """What moves the test process' clock."""

    def move_to(self, moment: dt.datetime) -> object:
        """Put the process at a moment."""


class TimeTravel:
    """The fixture ``turris_time``: moves the sandbox and the code under test."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._freeze: Any = None

    @property
    def now(self) -> dt.datetime:
        """The sandbox's time, in UTC."""
        return self._sandbox.clock.now()

    def start(self) -> None:
        """Stop time at the next full second, unless the test stopped or moved it already."""
        # Pydantic builds its schemas on first use; under a freeze they stay broken for good.
        # The core's models, built at import time, have loaded that code by now.
        if _running() is None:
            import freezegun  # noqa: PLC0415 - 50 ms, and only time travel needs it

            # A full second: ``iat`` and ``exp`` then are exact. The next: time never goes back.
            moment = Clock.process_time().replace(microsecond=0) + dt.timedelta(seconds=1)
            self._freeze = freezegun.freeze_time(moment, real_asyncio=True)
            self._freeze.start()
            _leave_out_pytest(self._freeze)
        self._sandbox.clock.carry(self._pass)

    def stop(self) -> None:
        """Let go of the clock, and end the freeze if it was begun here."""
        self._sandbox.clock.carry(None)
        if self._freeze is not None:
            self._freeze.stop()
            self._freeze = None

    def move_to(self, moment: dt.datetime) -> dt.datetime:
        """Go to a moment of the sandbox's time, before or after.

        Raises:
            ValueError: The moment has no time zone.
        """
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no time zone; write dt.datetime(..., tzinfo=dt.UTC)")
        engine = _running()
        if engine is None:
            raise RuntimeError("the freeze that turris_time moved was ended by somebody else")
        # Any offset between sandbox and process stays: it is a skew that the test asked for.
        engine.move_to(moment.astimezone(dt.UTC) - self._sandbox.clock.offset)
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
        self.move_to(self.now + step)

    def _token(self, token: AccessToken | None) -> AccessToken:
        found = token or self._sandbox.tokens.newest
        if found is None:
            raise NoTokenError(
                "no token was issued yet: make a call with the client first, or issue one with "
                "turris.tokens.issue(turris.client)"
            )
        return found


def _leave_out_pytest(freeze: Any) -> None:  # noqa: ANN401 - freezegun has no public type
    """Give pytest its own clock back: else its durations are those of the travel."""
    for module, name, original in freeze.undo_changes:
        if getattr(module, "__name__", "") == "_pytest.timing":
            setattr(module, name, original)


def _running() -> Engine | None:
    """The time travel in force: freezegun's innermost freeze, else time-machine's travel."""
    freezegun = sys.modules.get("freezegun.api")
    if freezegun is not None and freezegun.freeze_factories:
        return freezegun.freeze_factories[-1]  # type: ignore[no-any-return] # no stubs for a list
    time_machine = sys.modules.get("time_machine")
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return _travels(time_machine)[-1]
    return None


def _travels(time_machine: Any) -> list[Engine]:  # noqa: ANN401 - an optional dependency
    stacks = ("traveller_stack", "coordinates_stack")  # the name until time-machine 3
    return next(getattr(time_machine, name) for name in stacks if hasattr(time_machine, name))
