"""The errors and warnings of checks."""

import unittest

from pytest_turris.core.errors import TurrisKitError, TurrisKitWarning


class CheckFailedError(TurrisKitError, AssertionError):
    """The code under test fails a check of level ``must``; the text is the verdict's."""


class CheckWarning(TurrisKitWarning):
    """The code under test fails a check of level ``should``; the text is the verdict's."""


class NotObservedError(TurrisKitError, unittest.SkipTest):
    """A check was not made: it is ignored, does not apply, or had nothing to observe.

    ``unittest.SkipTest`` is the standard library's way to skip a test. pytest honours it, so the
    test is skipped with the reason, and what raises this needs no import of pytest.
    """


class IgnoreError(TurrisKitError, ValueError):
    """A check cannot be ignored: there is no such check, or the reason is missing."""


class NotApplicableError(Exception):
    """Raised inside a check that has nothing to observe; the text is the verdict's reason."""


class MissingHookError(NotApplicableError):
    """Raised inside a check that the test could make possible: the outcome is "not observed".

    The text names what to pass, such as ``with_keys=...``.
    """
