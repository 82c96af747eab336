"""Scripted faults: an error status, a broken connection, a delay, a hostile answer."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from pytest_turris.core.changes import Changes
from pytest_turris.core.faults.fault import (
    TOKEN,
    FailureKind,
    Fault,
    FaultError,
    check_numbers,
    check_restored,
    check_scripted,
)
from pytest_turris.core.faults.hostile.raw import MAX_SECONDS, RawAnswer
from pytest_turris.core.undo import Undo, whole


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
            status: Answer with this status, 400 to 599, and an error in Turris's shape. A 429 also
                has the headers of a limit that is used up now.
            error: Do not answer: ``"connect"`` refuses the connection, ``"reset"`` breaks it after
                the request was sent.
            delay: How much time passes on the sandbox's clock (a timedelta or seconds). Nothing
                sleeps: a client in process with a shorter timeout gets its own error after that.
            real_delay: How long the answer really takes over a socket (a timedelta or seconds, at
                most 300), for clients in any language. In process it is as ``delay``.
            headers: Response headers with ``status``, in place of those that the answer has anyway.
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
        check_scripted(fault)
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
        default = TOKEN if variant.endpoint == "token" else "*"
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
        check_numbers(fault)
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
        """Replace the faults by a snapshot's.

        Raises:
            FaultError: One of them could not be scripted.
            UnknownNameError: There is no such operation.
        """
        faults = [Fault(**row | {"delay": dt.timedelta(microseconds=row["delay"])}) for row in data]
        for fault in faults:
            check_restored(fault)
            self._resolve(fault.operation)
        self._faults = faults


def _duration(delay: dt.timedelta | float | None, name: str) -> dt.timedelta:
    try:
        return delay if isinstance(delay, dt.timedelta) else dt.timedelta(seconds=delay or 0)
    except (OverflowError, TypeError, ValueError):
        raise FaultError(f"{name}={delay!r} is not a number of seconds") from None
