"""Prints and writes a report, and decides the exit status."""

import json
from pathlib import Path

import click

from mock_server.exit_status import FAILED, OK
from mock_server.shell.mistakes import fail
from pytest_turris.audit.assessment import Assessment
from pytest_turris.audit.reports import terminal
from pytest_turris.audit.reports.document import Document
from pytest_turris.audit.reports.files import write
from pytest_turris.core.levels import Level


def show(
    assessed: Assessment,
    found: Document,
    directory: Path | None,
    *,
    fail_on: Level | None,
    as_json: bool,
) -> int:
    """Print a report, write its files, and return the exit status.

    Args:
        assessed: What is judged.
        found: The same as data.
        directory: Where the files go, if anywhere.
        fail_on: The least level of a finding that fails the command; None for none.
        as_json: Whether to print JSON.
    """
    if directory:
        try:
            write(found, directory)
        except OSError as error:
            fail(f"--report {directory}: {error.strerror}")
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        print_report(found)
    if directory:
        click.echo(f"report: {directory / 'report.html'}", err=True)
    failures = assessed.failures(fail_on) if fail_on else []
    for failure in failures:
        click.secho(f"--fail-on {fail_on}: {failure}", fg="red", err=True)
    return FAILED if failures else OK


def print_report(found: Document) -> None:
    """Print the findings, the checklist, and what the reader must know besides."""
    for level, text in terminal.findings(found):
        heading, _, rest = text.partition("\n")
        click.secho(heading, fg=terminal.COLOURS.get(level), bold=True)
        click.echo(f"{rest}\n")
    for status, text in terminal.table(found):
        click.secho(text, fg=terminal.COLOURS.get(status))
    for note in terminal.notes(found):
        click.secho(f"note: {note}", fg="yellow")
    click.secho(terminal.summary(found), bold=True)
