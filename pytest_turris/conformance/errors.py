"""What a conformance case raises: to the test, and inside its own steps."""

from pytest_turris.core.errors import TurrisKitError


class CaseError(TurrisKitError):
    """The case could not be run: it was misused, or the call fails although nothing provokes it."""


class ViolationError(Exception):
    """Raised by a probe: what the client did wrong, in words."""
