"""The results of checks, on the report of each test and at the end of a run.

Each verdict is a row of properties, all of them plain text, which pytest writes into JUnit XML.
"""

from collections.abc import Callable, Iterable, Iterator

import pytest

from pytest_turris.core.text.plurals import counted
from pytest_turris.findings.check import label_of
from pytest_turris.findings.verdict import Verdict

VERDICTS = pytest.StashKey[list[Verdict]]()
"""The verdicts of a test's checks, in the order in which they were given."""

_PREFIX = "turris_"
_FIRST = f"{_PREFIX}id"
_SHOWN = ("ignored", "noted")


def recorder(item: pytest.Item) -> Callable[[Verdict], None]:
    """Writes verdicts on the report of a test."""

    def record(verdict: Verdict) -> None:
        item.user_properties += _properties(verdict)
        item.stash.setdefault(VERDICTS, []).append(verdict)

    return record


def _properties(verdict: Verdict) -> list[tuple[str, object]]:
    """What a report says about a verdict; ``turris_id`` is always the first property."""
    check, detail = verdict.check, "\n".join(filter(None, (verdict.reason, *verdict.notes)))
    if verdict.outcome in ("noted", "warned"):  # a failure has its text already
        detail = str(verdict)
    values = {
        "id": check.id,
        "level": verdict.level,
        "outcome": verdict.outcome,
        "title": check.title,
        "page": check.help_uri,
        "detail": detail,
    }
    return [(_PREFIX + name, value) for name, value in values.items()]


def write_summary(terminal: pytest.TerminalReporter, reports: Iterable[pytest.TestReport]) -> None:
    """Write which checks were ignored, with the reasons, what was noted, and what was not seen."""
    # The statistics have one report for each phase of a test.
    verdicts = {tuple(one.values()): one for report in reports for one in _verdicts(report)}
    unseen: dict[str, list[str]] = {}
    for one in verdicts.values():
        if one["outcome"] in _SHOWN:
            check = label_of(one["id"], one["title"])
            terminal.section(f"turris: {check}: {one['outcome']}", sep="-", yellow=True)
            terminal.line(one["detail"])
        elif one["outcome"] == "not observed":
            unseen.setdefault(one["detail"], []).append(one["id"])
    if unseen:
        count = counted(sum(map(len, unseen.values())), "check")
        terminal.section(f"turris: {count} not observed, so not passed", sep="-", yellow=True)
        for detail, ids in unseen.items():
            terminal.line(f"{', '.join(ids)}: {detail}")


def _verdicts(report: pytest.TestReport) -> Iterator[dict[str, str]]:
    """The properties of each verdict on a report, without their prefix."""
    found: list[dict[str, str]] = []
    for name, value in report.user_properties:
        if name == _FIRST:
            found.append({})
        if name.startswith(_PREFIX):
            found[-1][name.removeprefix(_PREFIX)] = str(value)
    yield from found
