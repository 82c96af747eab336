"""The report of ``turris-sandbox attack`` for humans: a table, and the findings below it."""

from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mock_server.attacking.report import AS_WANTED, AttackReport, outcome_of
from mock_server.attacking.wording import worded
from pytest_turris.attacks.series.server_notes import is_about_server, server_line
from pytest_turris.core.text.printable import printable, printable_lines
from pytest_turris.findings.check import label
from pytest_turris.findings.ignore import option
from pytest_turris.findings.verdict import Verdict

_COLOURS = {
    "failed": "red",
    "warned": "yellow",
    "noted": "cyan",
    "not observed": "dim",
    "skipped": "dim",
    "ignored": "dim",
}

_EFFECTS_UNSEEN = (
    "`as wanted` means that it answered as it should; what it did was not seen. "
    "Use --effects or --effects-url"
)


def show_verdicts(report: AttackReport, console: Console) -> None:
    """Print the table of verdicts, the findings, and how many attacks had each outcome.

    Args:
        report: What was found.
        console: Where it is printed.
    """
    labels = [label(verdict.check) for verdict in report.verdicts]
    table = Table("Level", "Verdict", "Reason")
    # Ids and names stay whole: people search for them.
    wide = max(map(len, labels), default=0)
    table.add_column("Attack", overflow="fold", min_width=wide, no_wrap=True)
    table.columns.insert(0, table.columns.pop())
    for name, verdict in zip(labels, report.verdicts, strict=True):
        if not (is_about_server(verdict) or _is_rest(verdict, report)):
            table.add_row(*_row(name, verdict, report))
    console.print(table)
    for verdict in report.verdicts:
        if verdict.outcome in ("failed", "warned"):
            text = worded(verdict.text(option(verdict.check.id)), report.language)
            _print(report.masked(text), console)
    for line in (server_line(report.verdicts), report.cause, report.error):
        if line:
            _print(report.masked(worded(line, report.language)), console)
    counts = Counter(map(outcome_of, report.verdicts))
    _print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()), console)
    if counts[AS_WANTED]:
        _print(_EFFECTS_UNSEEN, console)


def _is_rest(verdict: Verdict, report: AttackReport) -> bool:
    """Whether it was not observed for the reason that all the rest shares."""
    return bool(report.cause) and verdict.reason == report.cause


def _row(name: str, verdict: Verdict, report: AttackReport) -> tuple[str, str, Text, Text]:
    outcome = outcome_of(verdict)
    colour = _COLOURS.get(outcome, "green")
    # Texts, not markup: what a receiver answers may look like markup.
    reason = Text(printable(report.masked(worded(_reason(verdict), report.language))))
    return name, verdict.level, Text(outcome, style=colour), reason


def _reason(verdict: Verdict) -> str:
    found = (f"got {one.got}, expected {one.expected}" for one in verdict.findings[:2])
    return verdict.reason or "; ".join(dict.fromkeys(found)) or "; ".join(verdict.notes)


def _print(text: str, console: Console) -> None:
    console.print(printable_lines(text), markup=False, highlight=False, soft_wrap=True)
