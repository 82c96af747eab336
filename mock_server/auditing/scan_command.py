"""``turris-sandbox scan``: reads its options, and returns its exit status."""

from pathlib import Path
from typing import Any

import click

from mock_server.auditing.command import (
    declarations_option,
    fail_on,
    json_option,
    report_option,
)
from mock_server.exit_status import exit_help
from mock_server.shell.option_types import FILE

_EXAMPLES = """\b
Examples:
  turris-sandbox scan frontend/dist
  turris-sandbox scan . --fail-on should --report audit
"""


@click.command(epilog=_EXAMPLES + exit_help("scan"))
@click.argument("paths", nargs=-1, required=True, type=FILE, metavar="PATH...")
@fail_on("must")
@report_option
@declarations_option
@json_option
def scan(paths: tuple[Path, ...], **given: Any) -> None:  # noqa: ANN401 - values of the options
    """Scan built frontends and repositories for credentials, and print where they are.

    Nothing is sent anywhere. Credentials in TURRIS_CLIENT_ID, TURRIS_CLIENT_SECRET,
    TURRIS_WEBHOOK_SECRET and TURRIS_RESTRICTED_TOKEN are looked for as well.
    """
    from mock_server.auditing.run import scan_files

    raise click.exceptions.Exit(scan_files(paths=paths, **given))
