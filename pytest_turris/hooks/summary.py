"""The lines about attacks at the end of a run."""

from collections.abc import Iterable

import pytest

PROPERTY = "turris_attack"
"""The name under which a report carries outcome, label and text of an attack."""

_SHOWN = ("ignored", "noted")


def write(terminal: pytest.TerminalReporter, reports: Iterable[pytest.TestReport]) -> None:
    """Write what was ignored, with the reasons, and what attacks noted."""
    found = [
        _texts(value)
        for report in reports
        for name, value in report.user_properties
        if name == PROPERTY and _texts(value)[0] in _SHOWN
    ]
    # A report stands in the statistics once for each phase of its test.
    for outcome, label, text in dict.fromkeys(found):
        terminal.section(f"turris: {label}: {outcome}", sep="-", yellow=True)
        terminal.line(text)


def _texts(value: object) -> tuple[str, str, str]:
    """Outcome, label and words: a tuple here, a list where it came from another process."""
    outcome, label, words = value if isinstance(value, tuple | list) else ("", "", "")
    return outcome, label, words
