"""``turris-sandbox audit``: reads its options, and returns its exit status."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mock_server.controlling.commands import find_command, with_address
from mock_server.exit_status import exit_help
from mock_server.shell.groups import SuggestingGroup
from mock_server.shell.option_types import FILE
from pytest_turris.audit.declarations import FILE_NAME

Command = TypeVar("Command", bound=Callable[..., Any])
_LEVELS = ("must", "should", "info")

_EXAMPLES = """\b
Examples:
  turris-sandbox serve -- sh -c 'npm test && turris-sandbox audit --fail-on must'
  turris-sandbox audit --verdicts verdicts.json --report audit
  turris-sandbox audit clear
"""

report_option = click.option(
    "--report",
    "directory",
    type=FILE,
    metavar="DIR",
    help="Write report.html, report.json, report.sarif and report.md there.",
)
declarations_option = click.option(
    "--declarations",
    type=FILE,
    metavar="FILE",
    default=Path(FILE_NAME),
    show_default=True,
    help="Attestations, waivers, and what to scan; nothing is declared if it does not exist.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")


def fail_on(default: str | None) -> Callable[[Command], Command]:
    """The option that decides the exit status."""
    return click.option(
        "--fail-on",
        type=click.Choice(_LEVELS),
        default=default,
        show_default=bool(default),
        help="Exit with 1 if there is a finding of this level, or of a more serious one.",
    )


@click.group(
    "audit", cls=SuggestingGroup, invoke_without_command=True, epilog=_EXAMPLES + exit_help("audit")
)
@fail_on(None)
@report_option
@click.option(
    "--verdicts",
    type=FILE,
    metavar="FILE",
    multiple=True,
    help="A report of 'turris-sandbox attack --json', as evidence. Can be repeated.",
)
@declarations_option
@json_option
@click.pass_context
def audit(ctx: click.Context, /, **given: Any) -> None:  # noqa: ANN401 - values of the options
    """Audit a running sandbox: how well its clients follow Turris' security page.

    The requests come from any language. The report is that of pytest --turris-audit.
    """
    if ctx.invoked_subcommand is None:
        from mock_server.auditing.run import audit_served

        raise click.exceptions.Exit(audit_served(**given))


with_address(audit)
_CONTROLS = find_command("audit")
assert isinstance(_CONTROLS, click.Group)  # noqa: S101 - the controls have this first word
audit.commands.update(_CONTROLS.commands)
