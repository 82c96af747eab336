"""One scripted fault, and what it may be."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.faults.arguments import is_duration, is_whole_number
from pytest_turris.core.faults.hostile.raw import MAX_SECONDS
from pytest_turris.core.wire.answer_fields import problem_of

FailureKind = Literal["connect", "reset"]

_LOWEST, _HIGHEST = 400, 599
TOKEN = "get_oauth_token"
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
            return self.hostile is None or operation != TOKEN
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


def check_scripted(fault: Fault) -> None:
    """Refuse a fault that cannot be scripted.

    Raises:
        FaultError: It has no effect, two at once, or a value that no fault can have.
    """
    check_numbers(fault)
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


def check_restored(fault: Fault) -> None:
    """Refuse a fault of a snapshot that could not be scripted.

    Raises:
        FaultError: See ``check_scripted``; or it is a hostile answer with more than that.
    """
    if fault.hostile is None:
        return check_scripted(fault)
    if fault.status is not None or fault.error is not None or fault.headers:
        raise FaultError("a hostile answer is whole: it has no status, error or headers besides")
    _check_delays(fault)
    return check_numbers(fault)


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


def check_numbers(fault: Fault) -> None:
    """Refuse a number that no fault can have, also a hostile answer.

    Raises:
        FaultError: ``times`` or ``max_seconds`` is out of range or of another type.
    """
    if fault.times is not None and not is_whole_number(fault.times, 1):
        raise FaultError(
            f"times={fault.times!r} is not a whole number from 1; None lets it fire until it is "
            "removed"
        )
    if not is_duration(fault.max_seconds):
        raise FaultError(f"max_seconds={fault.max_seconds!r} is not a number of seconds")
