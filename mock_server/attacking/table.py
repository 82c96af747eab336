"""The report of ``turris-sandbox attack`` for humans: a table, and the findings below it."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mock_server.attacking.report import AS_WANTED, AttackReport, outcome_of
from mock_server.attacking.wording import worded
from mock_server.shell.tables import is_terminal, print_table
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

_COLUMNS = ("Attack", "Level", "Verdict", "Reason")
_Row = tuple[str, str, Text, Text]

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
    rows = [
        _row(label(verdict.check), verdict, report)
        for verdict in report.verdicts
        if not (is_about_server(verdict) or _is_rest(verdict, report))
    ]
    if is_terminal():
        console.print(_table(rows))
    else:
        print_table(_COLUMNS, [[str(cell) for cell in row] for row in rows])
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


def _table(rows: Sequence[_Row]) -> Table:
    """The rows in a box, as wide as the terminal."""
    table = Table(*_COLUMNS)
    # Ids and names stay whole: people search for them.
    table.columns[0].no_wrap = True
    table.columns[0].min_width = max((len(row[0]) for row in rows), default=0)
    for row in rows:
        table.add_row(*row)
    return table


def _is_rest(verdict: Verdict, report: AttackReport) -> bool:
    """Whether it was not observed for the reason that all the rest shares."""
    return bool(report.cause) and verdict.reason == report.cause


def _row(name: str, verdict: Verdict, report: AttackReport) -> _Row:
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
