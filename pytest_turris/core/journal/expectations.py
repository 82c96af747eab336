"""What a test meant to provoke, and what it did not."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.journal.journal import Exchange, Journal

_KEPT = 100


class RefusalExpected(TurrisKitError, AssertionError):
    """``expect_refusal`` ended and nothing that matches was refused."""


class Refusals:
    """Refusals that mean a broken client, minus those that the test expected."""

    def __init__(self) -> None:
        self.is_client_error: list[Exchange] = []

    def note(self, exchange: Exchange) -> None:
        """Remember a refusal that fails the test unless it is expected."""
        if len(self.is_client_error) < _KEPT:
            self.is_client_error.append(exchange)

    def forgive(self, exchanges: tuple[Exchange, ...]) -> None:
        """The test meant these."""
        numbers = {exchange.number for exchange in exchanges}
        self.is_client_error = [e for e in self.is_client_error if e.number not in numbers]


class ExpectedRefusal:
    """The context of ``with turris.expect_refusal(...)``; ``exchanges`` are those refused."""

    def __init__(
        self,
        journal: Journal,
        refusals: Refusals,
        matches: Callable[[Exchange], bool],
        wanted: str,
    ) -> None:
        self._journal = journal
        self._refusals = refusals
        self._matches = matches
        self._wanted = wanted
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
        """Take note of what was refused.

        Raises:
            RefusalExpected: Nothing that matches was, and the block raised nothing itself.
        """
        seen = self._journal.since(self._start)
        self.exchanges = tuple(e for e in seen if e.refused and self._matches(e))
        self._refusals.forgive(self.exchanges)
        if not self.exchanges and error is None:
            story = "\n".join(f"  {exchange}" for exchange in seen) or "  no request at all"
            raise RefusalExpected(f"expected {self._wanted}, but the sandbox saw:\n{story}")
