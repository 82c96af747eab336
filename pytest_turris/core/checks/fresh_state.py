"""Blocks that leave no trace: ``with turris.fresh():``, for each example of a property test.

``Sandbox`` has the function here as a method.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

from pytest_turris.core.checks.strictness import Strict, strict_failures
from pytest_turris.core.errors import TurrisKitError


class StrictFailureError(TurrisKitError, AssertionError):
    """A block ended with requests that Turris would not understand, or with unused faults."""


class Restorable(Strict, Protocol):
    """The parts of a sandbox that a block puts back, besides those that decide about failures."""

    def snapshot(self) -> dict[str, Any]:
        """The state."""
        ...

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Restore the state of a snapshot."""
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
        if failures := strict_failures(self):
            raise StrictFailureError("\n\n".join(failures))
    finally:
        self.restore(before)
        self._refusals.unexpected = refused
