"""Scripted failures: a status, a broken connection, a delay on the sandbox's clock."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.faults.hostile.catalogue import find_answer
from pytest_turris.core.faults.hostile.raw import MAX_SECONDS, RawAnswer

FailureKind = Literal["connect", "reset"]

_LOWEST, _HIGHEST = 400, 599
_TOKEN = "get_oauth_token"


class FaultError(TurrisKitError, ValueError):
    """A fault that cannot be scripted: no effect, two at once, or a number out of range."""


@dataclass(kw_only=True, eq=False)
class Fault:
    """One scripted failure; ``times=None`` fires until it is removed."""

    operation: str
    status: int | None = None
    error: FailureKind | None = None
    delay: dt.timedelta = dt.timedelta(0)
    headers: dict[str, str]
    times: int | None = 1
    processed: bool = False
    optional: bool = False
    fired: int = 0
    hostile: str | None = None
    """The id of a hostile answer with its variant, such as ``AR-27/milliseconds``."""
    writes_only: bool = False
    max_seconds: float = MAX_SECONDS

    def fits(self, operation: str, method: str) -> bool:
        """Whether it is due for a call of this operation."""
        if self.spent or (self.writes_only and method == "GET"):
            return False
        # "*" of a hostile answer is the API without the token endpoint, which has its own.
        other = self.hostile is not None and operation == _TOKEN
        return operation == self.operation or (self.operation == "*" and not other)

    @property
    def spent(self) -> bool:
        """Whether it will not fire again."""
        return self.times is not None and self.fired >= self.times

    def __str__(self) -> str:
        what = [f"status={self.status}"] if self.status else []
        what += [f"error={self.error!r}"] if self.error else []
        what += [f"delay={self.delay}"] if self.delay else []
        what += [f"hostile={self.hostile!r}"] if self.hostile else []
        due = "until removed" if self.times is None else f"{self.fired} of {self.times} times"
        return f"{self.operation}: {', '.join(what)} (fired {due})"


class Faults:
    """The scripted failures of one sandbox, fired in the order in which they were added."""

    def __init__(self, resolve: Callable[[str], str]) -> None:
        self._resolve = resolve
        self._faults: list[Fault] = []
        self.raw_answers: list[RawAnswer] = []
        """The answers of raw bytes that were given so far."""

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._faults))

    def add(
        self,
        operation: str,
        *,
        status: int | None = None,
        error: FailureKind | None = None,
        delay: dt.timedelta | float | None = None,
        headers: dict[str, str] | None = None,
        times: int | None = 1,
        processed: bool = False,
        optional: bool = False,
    ) -> Fault:
        """Script a failure of an operation; ``"*"`` stands for any.

        Args:
            operation: Its name (``"list_agents"``), documented operation id or
                ``"GET /v1/agents"``.
            status: Answer with this status and a Turris-shaped body.
            error: Do not answer: ``"connect"`` before, ``"reset"`` after the request was sent.
            delay: How much time passes on the sandbox's clock (a timedelta or seconds).
                Nothing sleeps; an httpx client whose timeout is shorter gets its own timeout.
            headers: Response headers to go with ``status``, such as ``Retry-After``.
            times: How often to fire; ``None``: until ``remove``.
            processed: The request takes effect, only its answer fails.
            optional: Do not fail the test if it never fires.

        Raises:
            ValueError: No effect given, two at once, an unknown operation, or a bad number.
        """
        fault = Fault(
            operation=self._resolve(operation),
            status=status,
            error=error,
            delay=_duration(delay),
            headers=headers or {},
            times=times,
            processed=processed,
            optional=optional,
        )
        _check(fault)
        self._faults.append(fault)
        return fault

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
            name: Its id, with or without a variant; without, the first variant is meant.
            operation: Where; without one, the token endpoint or everything but it, as the
                answer says.
            times: How often to fire; ``None``: as often as the answer says, which mostly is
                until ``remove``.
            optional: Do not fail the test if it never fires.
            max_seconds: For how many real seconds an answer that has no end of its own goes on, if
                the client does not hang up. Such answers need ``turris_server``; a client that
                is answered in process gets a broken connection.

        Raises:
            ValueError: There is no such answer, variant or operation, or it cannot be scripted.
        """
        answer, (variant, *_) = find_answer(name)
        if variant.where == "handshake":
            raise FaultError(
                f"{answer.id} cannot be scripted: it comes before any request. The fixture "
                "turris_hostile_answer gives it: run(call, new_client=...)"
            )
        usual = _TOKEN if variant.where == "token" else "*"
        fault = Fault(
            operation=self._resolve(operation or usual),
            delay=variant.delay,
            headers={},
            times=variant.times if times is None else times,
            optional=optional,
            hostile=f"{answer.id}/{variant.name}",
            writes_only=variant.where == "write",
            max_seconds=max_seconds,
        )
        _check_times(fault)
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Take a fault back; it is no longer expected to fire."""
        if fault in self._faults:
            self._faults.remove(fault)

    def clear(self) -> None:
        """Take all faults back."""
        self._faults.clear()

    def hang_up(self) -> None:
        """End all answers of raw bytes that are still being written."""
        while self.raw_answers:
            self.raw_answers.pop().stopped = True

    def next_for(self, operation: str, method: str) -> Fault | None:
        """The fault that fires on this call, counted as fired."""
        for fault in self._faults:
            if fault.fits(operation, method):
                fault.fired += 1
                return fault
        return None

    @property
    def unused(self) -> tuple[Fault, ...]:
        """Faults that were to fire and never did."""
        return tuple(f for f in self._faults if not f.fired and not f.optional)

    def snapshot(self) -> list[dict[str, Any]]:
        """The faults as JSON data."""
        return [asdict(f) | {"delay": f.delay / dt.timedelta(microseconds=1)} for f in self._faults]

    def restore(self, data: list[dict[str, Any]]) -> None:
        """Replace the faults by a snapshot's."""
        self._faults = [
            Fault(**row | {"delay": dt.timedelta(microseconds=row["delay"])}) for row in data
        ]


def _duration(delay: dt.timedelta | float | None) -> dt.timedelta:
    try:
        return delay if isinstance(delay, dt.timedelta) else dt.timedelta(seconds=delay or 0)
    except (OverflowError, ValueError):
        raise FaultError(f"delay={delay} is not a number of seconds") from None


def _check(fault: Fault) -> None:
    if fault.status is None and fault.error is None and not fault.delay:
        raise FaultError("a fault needs a status, an error or a delay")
    if fault.status is not None and fault.error is not None:
        raise FaultError(
            "a fault has a status or an error, not both: with an error, nothing answers"
        )
    if fault.status is not None and not _LOWEST <= fault.status <= _HIGHEST:
        raise FaultError(f"status={fault.status} is not an error status; use 400 to 599")
    if fault.error not in (None, "connect", "reset"):
        raise FaultError(f"error={fault.error!r}; there are 'connect' and 'reset'")
    if fault.delay < dt.timedelta(0):
        raise FaultError(f"delay={fault.delay} is negative")
    _check_times(fault)
    if fault.processed and fault.error == "connect":
        raise FaultError("without a connection nothing is processed; use error='reset'")


def _check_times(fault: Fault) -> None:
    if fault.times is not None and fault.times < 1:
        raise FaultError(
            f"times={fault.times}; a fault fires at least once, or None: until removed"
        )
