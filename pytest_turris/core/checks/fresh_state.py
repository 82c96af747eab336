"""Blocks that leave no trace: ``with turris.fresh():``, for each example of a property test.

``Sandbox`` has the function here as a method.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.faults.scripted import Faults
from pytest_turris.core.journal.expectations import Refusals


class StrictFailureError(TurrisKitError, AssertionError):
    """A block ended with requests that Turris would not understand, or with unused faults."""


class Restorable(Protocol):
    """The parts of a sandbox that a block puts back."""

    faults: Faults
    _refusals: Refusals

    def snapshot(self) -> dict[str, Any]:
        """The state."""
        ...

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Restore the state of a snapshot."""
        ...

    def strict_failures(self) -> list[str]:
        """The reasons for which the block fails."""
        ...


@contextlib.contextmanager
def fresh(self: Restorable) -> Iterator[None]:
    """A block whose changes are undone at its end: a fresh state for each example of hypothesis.

    Records, credentials, tokens, limits, idempotency keys, faults, the journal, the outbox and the
    sandbox's clock become what they were before the block; ids repeat. What the code under test
    keeps, such as a token, is not undone: make its client inside the block.

    Raises:
        StrictFailureError: The block provoked refusals that it did not expect, or scripted faults
            that never fired (options ``fail_on_refusal`` and ``fail_on_unused_fault``).
    """
    before, refused = self.snapshot(), self._refusals.unexpected
    self._refusals.unexpected = []
    scripted = tuple(self.faults)
    try:
        yield
        for fault in scripted:
            fault.optional = True  # faults of the whole test need not fire in each block
        if failures := self.strict_failures():
            raise StrictFailureError("\n\n".join(failures))
    finally:
        self.restore(before)
        self._refusals.unexpected = refused
