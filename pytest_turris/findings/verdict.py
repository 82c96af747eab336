"""The result of a check as data: its findings, and the outcome that follows from them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pytest_turris.core.levels import Level
from pytest_turris.findings.check import Check, label
from pytest_turris.findings.ignore import marker
from pytest_turris.findings.text import laid_out

Outcome = Literal["passed", "failed", "warned", "noted", "not observed", "skipped", "ignored"]
"""The outcome of a check, and what a test runner does about it.

- ``passed``: everything was as expected.
- ``failed``: a finding of level ``must``. The test fails.
- ``warned``: a finding of level ``should``. The test passes with a warning, or fails with the
  option ``fail_on_should``.
- ``noted``: a finding of level ``info``. The test passes; the end of the run shows it.
- ``not observed``: nothing was found, but too little was observed to pass. Never counts as
  passed: the test is skipped with the reason, or fails with the option ``fail_on_not_observed``.
- ``skipped``: the check does not apply here, for the reason given. The test is skipped.
- ``ignored``: the test left the check out, with a reason. The test is skipped, and the end of
  the run shows the reason.
"""

_OUTCOMES: tuple[tuple[Level, Outcome], ...] = (
    ("must", "failed"),
    ("should", "warned"),
    ("info", "noted"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that the code under test did wrong. All texts are redacted.

    Args:
        level: How serious it is.
        sent: What was sent: one line, or a line for each request.
        got: What the code under test did.
        expected: What it should have done.
        kind: How it was noticed, where a check looks in several ways.
        fix: How to fix this one, where the check's own advice does not fit.
        why: What goes wrong with this one, where the check's own words do not fit.
    """

    level: Level
    sent: str
    got: str
    expected: str
    kind: str = ""
    fix: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The result of one check.

    Args:
        check: Which one.
        outcome: See ``Outcome``.
        findings: What went wrong.
        reason: Why it was not observed, skipped or ignored.
        notes: What else is worth knowing, such as which variants were left out.
    """

    check: Check
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        check: Check,
        findings: Iterable[Finding],
        *,
        notes: Iterable[str] = (),
        observed: bool = True,
    ) -> "Verdict":
        """The verdict that follows from the findings: the most serious one decides.

        Args:
            check: Which check.
            findings: What went wrong, if anything.
            notes: What else is worth knowing; each is kept once.
            observed: Whether what decides could be seen. If not, nothing ``passed``.
        """
        found = tuple(findings)
        levels = {finding.level for finding in found}
        unharmed: Outcome = "passed" if observed else "not observed"
        outcome = next((name for level, name in _OUTCOMES if level in levels), unharmed)
        return cls(check=check, outcome=outcome, findings=found, notes=tuple(dict.fromkeys(notes)))

    @property
    def level(self) -> Level:
        """The level of the most serious finding; without findings, that of the check."""
        levels = {finding.level for finding in self.findings}
        return next((level for level, _ in _OUTCOMES if level in levels), self.check.level)

    def __str__(self) -> str:
        return self.text(marker(self.check.id))

    def text(self, ignore: str) -> str:
        """The whole verdict in lines.

        Args:
            ignore: What to write to ignore the check, such as the line of a marker.
        """
        heading = f"{label(self.check)}: {self.outcome} ({self.level})"
        return laid_out(heading, self._rows(ignore))

    def _rows(self, ignore: str) -> Iterator[tuple[str, str]]:
        check, sent = self.check, ""
        yield "check", check.does
        for finding in self.findings:
            if finding.sent != sent:
                yield "sent", finding.sent
            sent = finding.sent
            yield "got", finding.got
            yield "expected", finding.expected + (f" [{finding.kind}]" if finding.kind else "")
        yield "reason", self.reason
        if self.findings:
            whys = dict.fromkeys(finding.why or check.why for finding in self.findings)
            yield "why", "\n".join(whys) + f" Source: {check.source}."
            fixes = (finding.fix or check.fix for finding in self.findings)
            yield "fix", "\n".join(dict.fromkeys(fixes))
        for note in self.notes:
            yield "note", note
        yield "more", check.help_uri
        yield "explain", f"turris-sandbox explain {check.id}"
        if self.findings:
            yield "ignore", ignore

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON data, redacted; every key is always there."""
        return {
            "id": self.check.id,
            "title": self.check.title,
            "level": self.check.level,
            "help_uri": self.check.help_uri,
            "outcome": self.outcome,
            "reason": self.reason,
            "notes": list(self.notes),
            "findings": [
                {
                    "kind": finding.kind,
                    "level": finding.level,
                    "sent": finding.sent,
                    "got": finding.got,
                    "expected": finding.expected,
                }
                for finding in self.findings
            ],
        }
