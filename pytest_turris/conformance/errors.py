"""What came of a case, and the exceptions by which a test runner hears of it."""

import unittest
from dataclasses import dataclass
from typing import Literal

from pytest_turris.core.errors import TurrisKitError, TurrisKitWarning

Status = Literal["passed", "broken", "not observed", "ignored"]


class RuleBrokenError(TurrisKitError, AssertionError):
    """The client breaks a rule of level ``must``."""


class NotObservedError(TurrisKitError, unittest.SkipTest):
    """Nothing could be seen: a probe is missing, or the client gave no occasion. Skips the test."""


class RuleWarning(TurrisKitWarning):
    """The client breaks a rule of level ``should`` or ``info``."""


class CaseError(TurrisKitError):
    """The case could not be run: the call fails although nothing was provoked, or is misused."""


class BrokenError(Exception):
    """Raised by a probe: in words, what the client did."""


class UnobservedError(Exception):
    """Raised by a probe: in words, why nothing was to be seen."""


@dataclass(frozen=True)
class Verdict:
    """How a client stands to one rule; ``text`` tells the story, redacted."""

    id: str
    status: Status
    text: str = ""
