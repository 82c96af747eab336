"""Refusals that a test expected, and those that it did not."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.journal.exchange import Exchange
from pytest_turris.core.journal.journal import Journal
from pytest_turris.core.undo import Undo

_KEPT = 100


class RefusalExpected(TurrisKitError, AssertionError):
    """A block of ``expect_refusal`` ended without a refusal that matches."""


class Refusals:
    """The refusals that fail the test, because they mean a broken client."""

    def __init__(self, undo: Undo) -> None:
        self._undo = undo
        self.unexpected: list[Exchange] = []
        self.misspelt: tuple[str, ...] = ()
        """What seems to be misspelt in requests that were answered, each text once."""

    def note(self, exchange: Exchange) -> None:
        """Keep a refusal that fails the test unless it is expected."""
        if len(self.unexpected) < _KEPT:
            self._undo.attributes(self, "unexpected")
            self.unexpected = [*self.unexpected, exchange]

    def suspect(self, text: str) -> None:
        """Keep what seems to be misspelt, for a warning."""
        if text not in self.misspelt and len(self.misspelt) < _KEPT:
            self._undo.attributes(self, "misspelt")
            self.misspelt = (*self.misspelt, text)

    def expect_since(self, number: int) -> None:
        """Treat those after the exchange with that number as expected."""
        self.unexpected = [e for e in self.unexpected if e.number <= number]

    def expect(self, exchanges: tuple[Exchange, ...]) -> None:
        """Treat these as expected."""
        numbers = {exchange.number for exchange in exchanges}
        self.unexpected = [e for e in self.unexpected if e.number not in numbers]


class ExpectedRefusal:
    """The context of ``with turris.expect_refusal(...)``; ``exchanges`` are the refusals in it."""

    def __init__(
        self,
        journal: Journal,
        refusals: Refusals,
        matches: Callable[[Exchange], bool],
        expected: str,
    ) -> None:
        self._journal = journal
        self._refusals = refusals
        self._matches = matches
        self._expected = expected
        self._start = 0
        self.exchanges: tuple[Exchange, ...] = ()

    def __enter__(self) -> Self:
        self._start = self._journal.seen
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Collect what was refused in the block.

        Raises:
            RefusalExpected: Nothing that matches was refused, and the block itself did not raise.
        """
        seen = self._journal.since(self._start)
        self.exchanges = tuple(e for e in seen if e.refused and self._matches(e))
        self._refusals.expect(self.exchanges)
        if not self.exchanges and error is None:
            lines = "\n".join(f"  {exchange}" for exchange in seen) or "  no request at all"
            raise RefusalExpected(f"expected {self._expected}, but the sandbox saw:\n{lines}")
