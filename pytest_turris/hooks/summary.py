"""What checks found without failing their tests, at the end of a run."""

from collections.abc import Callable, Iterable
from typing import cast

import pytest

from pytest_turris.findings.check import label
from pytest_turris.findings.verdict import Verdict

PROPERTY = "turris_verdict"
"""The name under which a report carries the outcome, label and text of a check."""

_SHOWN = ("ignored", "noted")


def recorder(item: pytest.Item) -> Callable[[Verdict], None]:
    """Writes verdicts down on the report of a test."""

    def record(verdict: Verdict) -> None:
        text = "\n".join(verdict.notes) or verdict.reason
        if verdict.outcome in ("noted", "warned"):  # a failure has its text already
            text = str(verdict)
        value = (verdict.outcome, label(verdict.check), text)
        item.user_properties.append((PROPERTY, value))

    return record


def write_summary(terminal: pytest.TerminalReporter, reports: Iterable[pytest.TestReport]) -> None:
    """Write which checks were ignored, with the reasons, and what was noted."""
    found = [
        tuple(cast("Iterable[str]", value))  # a list if the report is from another process
        for report in reports
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    # The statistics hold a report once for each phase of its test.
    for outcome, check, text in dict.fromkeys(found):
        if outcome in _SHOWN:
            terminal.section(f"turris: {check}: {outcome}", sep="-", yellow=True)
            terminal.line(text)
