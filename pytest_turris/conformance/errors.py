"""The exceptions of a conformance case, for the test and inside its own steps."""

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.levels import Level

EXPIRED_TOKEN = "expired token"
"""The kind of what a client did that sent one, whatever the check is about."""


class CaseError(TurrisKitError):
    """The case could not be run: it was misused, or the call fails although nothing provokes it."""


class ViolationError(Exception):
    """Raised by a probe: what the client did wrong, in words.

    Args:
        got: What the client did.
        level: How serious it is; None is the level of the rule.
        expected: What the client should have done; empty is what the rule says.
        fix: How to mend it; empty is what the rule says.
        besides: What else may mend it; it follows the fix.
        kind: What it is, where it is seen by checks about other things.
    """

    def __init__(
        self,
        got: str,
        level: Level | None = None,
        *,
        expected: str = "",
        fix: str = "",
        besides: str = "",
        kind: str = "",
    ) -> None:
        super().__init__(got)
        self.level = level
        self.expected = expected
        self.fix = fix
        self.besides = besides
        self.kind = kind
