"""Reports a verdict to the test runner: as a failure, a warning or a skip."""

import warnings
from collections.abc import Callable, Collection

from pytest_turris.findings.check import Check
from pytest_turris.findings.errors import CheckFailedError, CheckWarning, NotObservedError
from pytest_turris.findings.ignore import IgnoredChecks
from pytest_turris.findings.verdict import Outcome, Verdict

_NOT_MADE: tuple[Outcome, ...] = ("not observed", "skipped", "ignored")
_UNSEEN = "nothing was found, but too little was observed to pass"


class CheckRun:
    """One check of a fixture: it can be ignored, and its verdict is reported.

    Args:
        check: The check.
        known: The ids of all checks of its kind.
        others: The prefixes of other kinds of ids, which a marker may name too.
    """

    def __init__(self, check: Check, known: Collection[str], others: tuple[str, ...]) -> None:
        self._check = check
        self._ignored = IgnoredChecks(known, others)
        self._record: Callable[[Verdict], object] = lambda _: None
        self._failing: dict[Outcome, str] = {}
        self._was_run = False

    @property
    def check(self) -> Check:
        """The check: its id, title and level, and what it does."""
        return self._check

    @property
    def was_run(self) -> bool:
        """Whether the test ran the check, or awaited it."""
        return self._was_run

    def ignore(self, check_id: str, *, reason: str) -> None:
        """Ignore a check: its test is skipped, and the end of the run shows the reason.

        A marker does the same: ``@pytest.mark.turris(ignore={"WH-13": "the reason"})``.

        Args:
            check_id: Such as ``"WH-13"``. All tests of one parametrised function may call this
                with the same id; only the test of that check is affected.
            reason: A text that a reviewer can judge.

        Raises:
            IgnoreError: There is no such check, or no reason.
        """
        self._ignored.add(check_id, reason)

    def ignore_marked(self, reasons: object) -> None:
        """Ignore the checks that a marker names.

        Args:
            reasons: The value of the marker's ``ignore=``.

        Raises:
            IgnoreError: It is not a dict, there is no such check, or a reason is missing.
        """
        self._ignored.add_marked(reasons)

    def record_with(self, record: Callable[[Verdict], object]) -> None:
        """Pass the verdict to ``record`` too, before it fails or skips the test."""
        self._record = record

    def fail_on(self, outcome: Outcome, option: str) -> None:
        """Make an outcome that warns or skips fail the test, because an option says so."""
        self._failing[outcome] = option

    def _if_ignored(self) -> Verdict | None:
        """Return the verdict of an ignored check. Each run of a check begins with this."""
        self._was_run = True
        if reason := self._ignored.reason(self._check.id):
            return Verdict(check=self._check, outcome="ignored", reason=reason)
        return None

    def _report(self, verdict: Verdict) -> Verdict:
        """Fail, warn or skip as the outcome says; else give the verdict back.

        Called by a method that the test calls, so that a warning shows the test's line.

        Raises:
            CheckFailedError: The outcome is ``failed``, or an option makes it fail the test.
            NotObservedError: The check was not made; see ``Outcome``.
        """
        __tracebackhide__ = True
        self._record(verdict)
        if verdict.outcome == "failed":
            raise CheckFailedError(str(verdict))
        if option := self._failing.get(verdict.outcome, ""):
            raise CheckFailedError(f"{verdict}\nThe option {option} makes this a failure.")
        if verdict.outcome in _NOT_MADE:
            reason = verdict.reason or _UNSEEN
            raise NotObservedError(f"{verdict.check.id} is {verdict.outcome}: {reason}")
        if verdict.outcome == "warned":
            warnings.warn(str(verdict), CheckWarning, stacklevel=3)
        return verdict
