"""The two libraries that move a Python process through time, behind one interface.

A freeze or travel of the test is moved; only without one, an engine is started.
"""

import datetime as dt
import sys
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal, Protocol

from cryptography import x509

from pytest_turris.core.errors import TurrisKitError

EngineName = Literal["freezegun", "time-machine"]

_NAMELESS = dt.timezone(dt.timedelta(hours=1))
_OWN_CLOCKS = frozenset({"_pytest.timing", "trio._core._run"})
"""Modules that measure real time: pytest's durations, trio's deadlines."""
_IGNORED_BY_FREEZEGUN = ["trio._core._mock_clock"]
"""Modules that ask ``time.perf_counter`` itself: a ``MockClock`` with a rate would stand."""


class EngineError(TurrisKitError, RuntimeError):
    """The engine of ``turris_time`` is not installed, or its freeze was ended by other code."""


class Travel(Protocol):
    """The active freeze of freezegun or travel of time-machine."""

    def shift(self, delta: dt.timedelta) -> object:
        """Move the process's time."""


class _Freeze:
    """A freeze of freezegun."""

    def __init__(self, factory: Any) -> None:  # noqa: ANN401 - freezegun has no public type
        self._factory = factory

    def shift(self, delta: dt.timedelta) -> None:
        """Move the process's time."""
        # Not ``tick``: it forgets how far a freeze that ticks has gone by itself.
        self._factory.move_to(self._factory() + delta)


class StartedTravel(Protocol):
    """What was begun here, and ends here."""

    def stop(self) -> None:
        """Let the process's time go on."""


def running() -> Travel | None:
    """The active time travel: freezegun's innermost freeze, else time-machine's travel."""
    freezegun = sys.modules.get("freezegun.api")
    if freezegun is not None and freezegun.freeze_factories:
        return _Freeze(freezegun.freeze_factories[-1])
    time_machine = sys.modules.get("time_machine")
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return _travels(time_machine)[-1]
    return None


def is_frozen() -> bool:
    """Whether freezegun's clock is active."""
    return isinstance(running(), _Freeze)


def choose(option: str, of_test: EngineName | None) -> EngineName:
    """The engine to begin: the test's own, else the option's, else the better one.

    time-machine changes no types, reaches every clock, and allows a freeze to start inside its
    travel; inside a freeze it refuses to start.
    """
    if of_test is not None:
        return of_test
    if option == "auto":
        return "time-machine" if find_spec("time_machine") else "freezegun"
    return "time-machine" if option == "time-machine" else "freezegun"


def refuse_green_threads() -> None:
    """Refuse a process whose threads are not the system's.

    Raises:
        EngineError: gevent or eventlet patched them.
    """
    for library, patcher, asks in (
        ("gevent", "gevent.monkey", "is_module_patched"),
        ("eventlet", "eventlet.patcher", "is_monkey_patched"),
    ):
        module = sys.modules.get(patcher)
        name = "threading" if library == "gevent" else "thread"
        if module is not None and getattr(module, asks)(name):
            raise EngineError(
                f"turris_time cannot move the time of a process whose threads {library} patched. "
                "Fix: run these tests in a process without monkey-patching, or move the sandbox "
                "alone with turris.clock"
            )


def begin_travel(name: EngineName, moment: dt.datetime, *, tick: bool) -> StartedTravel:
    """Begin to stop time at a moment, or with ``tick`` to let it pass from there.

    Raises:
        EngineError: The library is not installed.
    """
    if name == "time-machine":
        return _begin_time_machine(moment, tick=tick)
    import freezegun  # noqa: PLC0415 - 50 ms, and only time travel needs it

    _preload_cryptography()
    freeze = freezegun.freeze_time(moment, tick=tick, ignore=_IGNORED_BY_FREEZEGUN)
    freeze.start()
    _leave_out(freeze)
    return freeze


def _begin_time_machine(moment: dt.datetime, *, tick: bool) -> StartedTravel:
    try:
        import time_machine  # noqa: PLC0415 - an optional dependency
    except ImportError:
        raise EngineError(
            "option time_engine='time-machine': the library is not installed; "
            "pip install time-machine, or time_engine='freezegun'"
        ) from None
    # In a zone without a name: with UTC, the process's own zone would become that.
    travel = time_machine.travel(moment.astimezone(_NAMELESS), tick=tick)
    travel.start()
    return travel


@cache
def _preload_cryptography() -> None:
    """Show cryptography the real ``datetime``: it keeps the first one and refuses others.

    A certificate first made under a freeze would leave it with freezegun's permanently.
    """
    moment = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    x509.RevokedCertificateBuilder().serial_number(1).revocation_date(moment).build()


def _leave_out(freeze: Any) -> None:  # noqa: ANN401 - freezegun has no public type
    """Give modules that measure real time their own clock again."""
    for module, name, original in freeze.undo_changes:
        if getattr(module, "__name__", "") in _OWN_CLOCKS:
            setattr(module, name, original)


def _travels(time_machine: Any) -> list[Travel]:  # noqa: ANN401 - an optional dependency
    stacks = ("traveller_stack", "coordinates_stack")  # the name until time-machine 3
    return next(getattr(time_machine, name) for name in stacks if hasattr(time_machine, name))
