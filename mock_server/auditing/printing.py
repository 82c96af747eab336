"""Prints and writes a report, and decides the exit status."""

import json
from pathlib import Path

from mock_server.exit_status import FAILED, OK
from mock_server.shell.mistakes import fail
from mock_server.shell.printing import say
from pytest_turris.audit.assessment import Assessment
from pytest_turris.audit.reports import terminal
from pytest_turris.audit.reports.document import Document
from pytest_turris.audit.reports.files import write_reports
from pytest_turris.core.levels import Level
from pytest_turris.core.text.plurals import counted


def show_audit(
    assessed: Assessment,
    found: Document,
    directory: Path | None,
    *,
    fail_on: Level | None,
    as_json: bool,
    files: int | None = None,
) -> int:
    """Print a report, write its files, and return the exit status.

    Args:
        assessed: What is judged.
        found: The same as data.
        directory: Where the files go, if anywhere.
        fail_on: The lowest level of a finding that fails the command; None for none.
        as_json: Whether to print JSON.
        files: Of a scan, how many files it has read: then the checklist is not printed.
    """
    if directory:
        try:
            write_reports(found, directory)
        except OSError as error:
            fail(f"--report {directory}: {error.strerror}")
    if as_json:
        say(json.dumps(found, indent=2))
    else:
        _print(found, files)
    if directory:
        say(f"report: {directory / 'report.html'}", err=True)
    failures = assessed.failures(fail_on) if fail_on else []
    for failure in failures:
        say(f"--fail-on {fail_on}: {failure}", fg="red", err=True)
    return FAILED if failures else OK


def _print(found: Document, files: int | None) -> None:
    """Print the findings, the checklist, and further notes."""
    for level, text in terminal.findings(found):
        heading, _, rest = text.partition("\n")
        say(heading, fg=terminal.COLOURS.get(level), bold=True)
        say(f"{rest}\n")
    for status, text in terminal.table(found) if files is None else ():
        say(text, fg=terminal.COLOURS.get(status))
    for note in terminal.notes(found):
        say(f"note: {note}", fg="yellow")
    last = terminal.summary(found)
    if files is not None:
        last = f"{counted(len(found['results']), 'finding')} in {counted(files, 'file')}"
    say(last, bold=True)
