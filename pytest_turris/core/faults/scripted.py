"""Scripted faults: an error status, a broken connection, a delay, a hostile answer."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pytest_turris.core.changes import Changes
from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.faults.arguments import is_duration, is_whole_number
from pytest_turris.core.faults.hostile.raw import MAX_SECONDS, RawAnswer
from pytest_turris.core.undo import Undo, whole
from pytest_turris.core.wire.answer_fields import problem_of

FailureKind = Literal["connect", "reset"]

_LOWEST, _HIGHEST = 400, 599
_TOKEN = "get_oauth_token"
_LONGEST = 300
"""Seconds that an answer may really take: longer than clients and proxies wait."""


class FaultError(TurrisKitError, ValueError):
    """A fault that cannot be scripted: such as no effect, two at once, or a number out of range."""


@dataclass(kw_only=True, eq=False)
class Fault:
    """One scripted fault; with ``times=None`` it fires until it is removed."""

    operation: str
    status: int | None = None
    error: FailureKind | None = None
    delay: dt.timedelta = dt.timedelta(0)
    real_delay: float = 0.0
    headers: dict[str, str]
    times: int | None = 1
    processed: bool = False
    optional: bool = False
    fired: int = 0
    hostile: str | None = None
    """A hostile answer with its variant, such as ``AR-27/milliseconds``."""
    writes_only: bool = False
    max_seconds: float = MAX_SECONDS
    number: int = 0
    """Its number among the faults of its sandbox, from 1."""

    def fits(self, operation: str, method: str) -> bool:
        """Whether it should fire for a call of this operation."""
        if self.spent or (self.writes_only and method == "GET"):
            return False
        if self.operation == "*":
            # A hostile answer of the API leaves the token endpoint alone, which has its own.
            return self.hostile is None or operation != _TOKEN
        return operation == self.operation

    @property
    def spent(self) -> bool:
        """Whether it will not fire again."""
        return self.times is not None and self.fired >= self.times

    def __str__(self) -> str:
        what = [f"status={self.status}"] if self.status else []
        what += [f"error={self.error!r}"] if self.error else []
        what += [f"delay={self.delay}"] if self.delay else []
        what += [f"real_delay={self.real_delay:g} s"] if self.real_delay else []
        what += [f"hostile={self.hostile!r}"] if self.hostile else []
        limit = "" if self.times is None else f" of {self.times}"
        return f"{self.operation}: {', '.join(what)} (fired {self.fired}{limit} times)"


class Faults:
    """The scripted faults of one sandbox; the one added first fires first."""

    undo: Undo = Undo()
    """Guards the changes, and takes them back if they fail."""
    changes: Changes | None = None
    """Where changed rows are noted, if something keeps the state."""

    def __init__(self, resolve: Callable[[str], str]) -> None:
        self._resolve = resolve
        self._faults: list[Fault] = []
        self.raw_answers: list[RawAnswer] = []
        """The answers of raw bytes that were sent so far."""
        self.made: int = 0
        """How many faults there ever were: the number of the newest."""

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._faults))

    @whole
    def add(
        self,
        operation: str,
        *,
        status: int | None = None,
        error: FailureKind | None = None,
        delay: dt.timedelta | float | None = None,
        real_delay: dt.timedelta | float | None = None,
        headers: dict[str, str] | None = None,
        times: int | None = 1,
        processed: bool = False,
        optional: bool = False,
    ) -> Fault:
        """Script a fault of an operation; ``"*"`` means any.

        Args:
            operation: Its name (``"list_agents"``), documented operation id or
                ``"GET /v1/agents"``.
            status: Answer with this status, 400 to 599, and an error in Turris's shape.
            error: Do not answer: ``"connect"`` refuses the connection, ``"reset"`` breaks it after
                the request was sent.
            delay: How much time passes on the sandbox's clock (a timedelta or seconds). Nothing
                sleeps; a client in process with a shorter timeout gets its own timeout error, and
                only its timeout passes.
            real_delay: How long the answer really takes over a socket (a timedelta or seconds, at
                most 300), for clients in any language. In process nothing sleeps, and a client
                with a shorter timeout gets its own timeout error, as with ``delay``.
            headers: Response headers with ``status``, such as ``Retry-After``.
            times: How many calls it fires for; ``None``: all, until ``remove``.
            processed: The request takes effect; only its answer fails.
            optional: Do not fail the test if it never fires.

        Raises:
            FaultError: No effect is given, or two at once, or a value that no fault can have.
            UnknownNameError: There is no such operation.
        """
        fault = Fault(
            operation=self._resolve(operation),
            status=status,
            error=error,
            delay=_duration(delay, "delay"),
            real_delay=_duration(real_delay, "real_delay").total_seconds(),
            headers=headers or {},
            times=times,
            processed=processed,
            optional=optional,
        )
        _check(fault)
        self._keep(fault)
        self._mark()
        return fault

    @whole
    def hostile(
        self,
        name: str,
        operation: str | None = None,
        *,
        times: int | None = None,
        optional: bool = False,
        max_seconds: float = MAX_SECONDS,
    ) -> Fault:
        """Script a hostile answer, such as ``"AR-27"`` or ``"AR-27/milliseconds"``.

        Args:
            name: Its id, with a variant or without; without, the first variant.
            operation: Which operation gets it. By default the token endpoint, or every other
                operation, whichever the answer is for.
            times: How many calls it fires for; ``None``: as many as the answer says, which
                usually is all, until ``remove``.
            optional: Do not fail the test if it never fires.
            max_seconds: How many real seconds an endless answer lasts, unless the client hangs up.
                Such answers need ``turris_server``; in process, the client gets a broken
                connection.

        Raises:
            UnknownNameError: There is no such answer, variant or operation.
            FaultError: The answer cannot be scripted, or ``times`` or ``max_seconds`` is out of
                range or of another type.
        """
        from pytest_turris.core.faults.hostile.catalogue import find_answer  # noqa: PLC0415 - it is large

        answer, (variant, *_) = find_answer(name)
        if not answer.can_be_scripted:
            raise FaultError(
                f"{answer.id} cannot be scripted, because the connection fails before any request. "
                "Use the fixture turris_hostile_answer: run(call, new_client=...)"
            )
        default = _TOKEN if variant.endpoint == "token" else "*"
        fault = Fault(
            operation=self._resolve(operation or default),
            delay=variant.delay,
            headers={},
            times=variant.times if times is None else times,
            optional=optional,
            hostile=f"{answer.id}/{variant.name}",
            writes_only=variant.endpoint == "write",
            max_seconds=max_seconds,
        )
        _check_numbers(fault)
        self._keep(fault)
        self._mark()
        return fault

    def _keep(self, fault: Fault) -> None:
        self.undo.attributes(self, "made")
        self.made += 1
        fault.number = self.made
        self.undo.copies(self, "_faults")
        self._faults.append(fault)

    @whole
    def remove(self, fault: Fault) -> None:
        """Remove a fault; it is no longer expected to fire."""
        if fault in self._faults:
            self.undo.copies(self, "_faults")
            self._faults.remove(fault)
            self._mark()

    @whole
    def clear(self) -> None:
        """Remove all faults."""
        self.undo.copies(self, "_faults")
        self._faults.clear()
        self._mark()

    def hang_up(self) -> None:
        """End all answers of raw bytes that are still being sent."""
        while self.raw_answers:
            self.raw_answers.pop().stopped = True

    def next_for(self, operation: str, method: str) -> Fault | None:
        """Return the fault that fires for this call, and count it as fired."""
        for fault in self._faults:
            if fault.fits(operation, method):
                self.undo.attributes(fault, "fired")
                fault.fired += 1
                self._mark()
                return fault
        return None

    @property
    def unused(self) -> tuple[Fault, ...]:
        """Faults that never fired and are not optional."""
        return tuple(f for f in self._faults if not f.fired and not f.optional)

    def _mark(self) -> None:
        if self.changes is not None:
            self.changes.mark("faults", "", self.snapshot)

    def snapshot(self) -> list[dict[str, Any]]:
        """The faults as JSON data."""
        return [asdict(f) | {"delay": f.delay / dt.timedelta(microseconds=1)} for f in self._faults]

    def restore(self, data: list[dict[str, Any]]) -> None:
        """Replace the faults by a snapshot's."""
        self._faults = [
            Fault(**row | {"delay": dt.timedelta(microseconds=row["delay"])}) for row in data
        ]


def _duration(delay: dt.timedelta | float | None, name: str) -> dt.timedelta:
    try:
        return delay if isinstance(delay, dt.timedelta) else dt.timedelta(seconds=delay or 0)
    except (OverflowError, TypeError, ValueError):
        raise FaultError(f"{name}={delay!r} is not a number of seconds") from None


def _check(fault: Fault) -> None:
    _check_numbers(fault)
    _check_delays(fault)
    if fault.status is None and fault.error is None and not (fault.delay or fault.real_delay):
        raise FaultError("a fault needs a status, an error or a delay")
    if fault.status is not None and fault.error is not None:
        raise FaultError("give a status or an error, not both: with an error there is no answer")
    if fault.status is not None and not is_whole_number(fault.status, _LOWEST, _HIGHEST):
        raise FaultError(f"status={fault.status!r} is not an error status; use 400 to 599")
    if fault.error not in (None, "connect", "reset"):
        raise FaultError(f"error={fault.error!r} is not one of 'connect', 'reset'")
    _check_headers(fault)
    if fault.processed and fault.error == "connect":
        raise FaultError("processed=True needs a connection; use error='reset'")


def _check_delays(fault: Fault) -> None:
    if fault.delay < dt.timedelta(0):
        raise FaultError(f"delay={fault.delay} is negative")
    if not 0 <= fault.real_delay <= _LONGEST:
        raise FaultError(f"real_delay={fault.real_delay:g} s is not 0 to {_LONGEST} seconds")
    if fault.real_delay and fault.error is not None:
        raise FaultError("real_delay delays an answer; with an error there is none")


def _check_headers(fault: Fault) -> None:
    if not isinstance(fault.headers, dict):
        raise FaultError("headers are a dict, such as {'Retry-After': '5'}")
    if fault.headers and fault.status is None:
        raise FaultError("headers are those of an answer with an error: give its status, too")
    if problem := problem_of(fault.headers):
        raise FaultError(problem)


def _check_numbers(fault: Fault) -> None:
    if fault.times is not None and not is_whole_number(fault.times, 1):
        raise FaultError(
            f"times={fault.times!r} is not a whole number from 1; None lets it fire until it is "
            "removed"
        )
    if not is_duration(fault.max_seconds):
        raise FaultError(f"max_seconds={fault.max_seconds!r} is not a number of seconds")
