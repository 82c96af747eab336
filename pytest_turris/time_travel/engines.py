"""The two libraries that move a Python process through time, behind one face.

Whatever the test runs already is moved; only where there is nothing, an engine is begun.
"""

import datetime as dt
import sys
from functools import cache
from typing import Any, Literal, Protocol

from cryptography import x509

from pytest_turris.core.errors import TurrisKitError

Name = Literal["freezegun", "time-machine"]

_NAMELESS = dt.timezone(dt.timedelta(hours=1))
_OWN_CLOCKS = frozenset({"_pytest.timing", "trio._core._run"})
"""Modules that measure real time: pytest's durations, trio's deadlines."""


class EngineError(TurrisKitError, RuntimeError):
    """The engine of ``turris_time`` is not installed, or its freeze was ended by other code."""


class Travel(Protocol):
    """What is in force: a freeze of freezegun or a travel of time-machine."""

    def move_to(self, moment: dt.datetime) -> object:
        """Put the process at a moment."""


class StartedTravel(Protocol):
    """What was begun here, and ends here."""

    def stop(self) -> None:
        """Let the process's time go on."""


class _TimeMachine:
    """A travel of time-machine, which leaves the process's own zone alone."""

    def __init__(self, travel: Any) -> None:  # noqa: ANN401 - an optional dependency
        self._travel = travel

    def move_to(self, moment: dt.datetime) -> None:
        """In a zone without a name: with UTC, the zone of the process would become that."""
        self._travel.move_to(moment.astimezone(_NAMELESS))


def running() -> Travel | None:
    """The time travel in force: freezegun's innermost freeze, else time-machine's travel."""
    freezegun = sys.modules.get("freezegun.api")
    if freezegun is not None and freezegun.freeze_factories:
        return freezegun.freeze_factories[-1]  # type: ignore[no-any-return] # no stubs for a list
    time_machine = sys.modules.get("time_machine")
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return _TimeMachine(_travels(time_machine)[-1])
    return None


def begin(name: Name, moment: dt.datetime, *, tick: bool) -> StartedTravel:
    """Begin to stop time at a moment, or with ``tick`` to let it pass from there.

    Raises:
        EngineError: The library is not installed.
    """
    if name == "time-machine":
        return _begin_time_machine(moment, tick=tick)
    import freezegun  # noqa: PLC0415 - 50 ms, and only time travel needs it

    _preload_cryptography()
    freeze = freezegun.freeze_time(moment, tick=tick)
    freeze.start()
    _leave_out(freeze)
    return freeze


def system_time() -> dt.datetime:
    """The time of the machine, whatever this process was made to believe, in UTC."""
    freezegun = sys.modules.get("freezegun.api")
    if freezegun is not None and freezegun.freeze_factories:
        return _utc(freezegun.real_time())
    time_machine = sys.modules.get("time_machine")
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return _utc(time_machine.escape_hatch.time.time())
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - nothing travels, so this is it


def zone_offset() -> dt.timedelta:
    """What a freeze with ``tz_offset`` adds even to ``datetime.now(UTC)``."""
    freezegun = sys.modules.get("freezegun.api")
    offsets: list[dt.timedelta] = getattr(freezegun, "tz_offsets", [])
    return offsets[-1] if offsets else dt.timedelta(0)


def _utc(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _begin_time_machine(moment: dt.datetime, *, tick: bool) -> StartedTravel:
    try:
        import time_machine  # noqa: PLC0415 - an optional dependency
    except ImportError:
        raise EngineError(
            "option time_engine='time-machine': the library is not installed; "
            "pip install time-machine, or leave the option out for freezegun"
        ) from None
    travel = time_machine.travel(moment.astimezone(_NAMELESS), tick=tick)
    travel.start()
    return travel


@cache
def _preload_cryptography() -> None:
    """Show cryptography the real ``datetime``: it keeps the first it meets and refuses others.

    A certificate first made under a freeze would leave it with freezegun's for good.
    """
    moment = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    x509.RevokedCertificateBuilder().serial_number(1).revocation_date(moment).build()


def _leave_out(freeze: Any) -> None:  # noqa: ANN401 - freezegun has no public type
    """Give the modules that measure real time their own clock back."""
    for module, name, original in freeze.undo_changes:
        if getattr(module, "__name__", "") in _OWN_CLOCKS:
            setattr(module, name, original)


def _travels(time_machine: Any) -> list[Any]:  # noqa: ANN401 - an optional dependency
    stacks = ("traveller_stack", "coordinates_stack")  # the name until time-machine 3
    return next(getattr(time_machine, name) for name in stacks if hasattr(time_machine, name))
