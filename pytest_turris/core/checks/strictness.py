"""What fails a test at its end unless expected: refusals, and faults that never fired.

``Sandbox`` has each function here as a method.
"""

from collections.abc import Callable
from typing import Protocol

from pytest_turris.core.errors import TurrisKitWarning, UnknownNameError
from pytest_turris.core.faults.scripted import Faults
from pytest_turris.core.journal.exchange import Exchange
from pytest_turris.core.journal.expectations import ExpectedRefusal, Refusals
from pytest_turris.core.journal.journal import Journal
from pytest_turris.core.options import Options
from pytest_turris.core.text.plurals import counted


class MisspeltNameWarning(TurrisKitWarning):
    """A test sent a parameter or member that is unknown, and near one that is documented."""


class Strict(Protocol):
    """The parts of a sandbox that decide."""

    options: Options
    faults: Faults
    journal: Journal
    _refusals: Refusals

    @property
    def _resolve(self) -> Callable[[str], str]:
        """The name of an operation, by any of its names."""
        ...


def expect_refusal(  # noqa: D417 - self, as a method
    self: Strict, *, status: int | None = None, operation: str | None = None
) -> ExpectedRefusal:
    """A block in which the sandbox must refuse at least one request with a 4xx.

    Args:
        status: Count refusals with this status only.
        operation: Count refusals of this operation only: its name, operation id or
            ``METHOD /path``.

    Raises:
        UnknownNameError: There is no such operation, or the status is not that of a refusal.
    """
    if status is not None and status not in range(400, 500):
        raise UnknownNameError(f"status={status!r} is not that of a refusal; use 400 to 499")
    name = self._resolve(operation) if operation else None
    expected = f"a refusal with status {status or '4xx'} of {name or 'any operation'}"

    def matches(exchange: Exchange) -> bool:
        return status in (None, exchange.status) and name in (None, "*", exchange.operation)

    return ExpectedRefusal(self.journal, self._refusals, matches, expected)


def expect_since(self: Strict, number: int) -> None:
    """Treat every refusal after the exchange with that number as expected."""
    self._refusals.expect_since(number)


def misspelt_names(sandbox: Strict) -> list[MisspeltNameWarning]:
    """A warning for each unknown name that was ignored, and is near one that was not sent.

    Others may be names of pages that could not be read to their end, so nothing is said of them.
    """
    return [
        MisspeltNameWarning(
            f"turris: {text} Fix the name. Meant? Filter MisspeltNameWarning. To refuse each "
            "unknown name: @pytest.mark.turris(unknown_fields='refused')"
        )
        for text in sandbox._refusals.misspelt  # noqa: SLF001 - as the methods here
    ]


def strict_failures(self: Strict) -> list[str]:
    """The reasons for which the test fails at its end, each with the option that relaxes it."""
    found = []
    if self.options.fail_on_refusal and (refused := self._refusals.unexpected):
        lines = "\n".join(f"  {exchange}" for exchange in refused)
        found.append(
            f"{counted(len(refused), 'request')} that Turris would not understand:\n{lines}\n"
            "Meant? Put the call into 'with turris.expect_refusal():', "
            "or relax it: @pytest.mark.turris(fail_on_refusal=False)"
        )
    if self.options.fail_on_unused_fault and (unused := self.faults.unused):
        lines = "\n".join(f"  {fault}" for fault in unused)
        found.append(
            f"{counted(len(unused), 'scripted fault')} that never fired:\n{lines}\n"
            "Not sure to fire? faults.add(..., optional=True), "
            "or relax it: @pytest.mark.turris(fail_on_unused_fault=False)"
        )
    return found
