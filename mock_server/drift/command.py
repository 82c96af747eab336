"""``turris-sandbox drift``: reads its options, asks, and prints the report."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import click

from mock_server.exit_status import FAILED, exit_help
from mock_server.shell.mistakes import fail
from mock_server.shell.option_types import FILE
from mock_server.shell.printing import say
from pytest_turris.core.wire.base_url import split_base_url

_EXAMPLES = """\b
Examples:
  turris-sandbox drift --against https://public.api.sandbox.turrisfi.com --read-only
  turris-sandbox drift --recorded session.har
"""


@click.command(epilog=f"{_EXAMPLES}\n{exit_help('drift')}")
@click.option("--against", metavar="URL", default="", help="The real tenant's base URL.")
@click.option(
    "--read-only",
    is_flag=True,
    help="Confirm what the command does: one token request, then GET requests alone.",
)
@click.option("--yes", is_flag=True, help="Do not ask for a typed confirmation.")
@click.option(
    "--recorded", type=FILE, metavar="FILE.har", help="Read a recording in place of asking."
)
@click.option(
    "--client-id-env",
    metavar="NAME",
    default="TURRIS_CLIENT_ID",
    show_default=True,
    help="The environment variable that holds the client id.",
)
@click.option(
    "--client-secret-env", metavar="NAME", default="TURRIS_CLIENT_SECRET", show_default=True,
    help="The environment variable that holds the client secret.",
)  # fmt: skip
def drift(
    *,
    against: str,
    read_only: bool,
    yes: bool,
    recorded: Path | None,
    client_id_env: str,
    client_secret_env: str,
) -> None:
    """Ask a real tenant what the sandbox only assumes, and print the options that follow.

    This is the only command that sends anything to the real Turris. It keeps nothing but the
    report, which has no value of the tenant. Exit with 1 if the tenant contradicts the sandbox.
    """
    from mock_server.drift.asking import DriftError, RealTenant, ask
    from mock_server.drift.har import read_har
    from mock_server.drift.report import DriftReport
    from pytest_turris.core.text.redaction import note_secret

    if bool(against) == bool(recorded):
        fail("give --against URL --read-only, or --recorded FILE.har")
    try:
        if recorded:
            report = DriftReport.of(read_har(recorded))
        else:
            _check(against, read_only=read_only)
            tenant = RealTenant(against.rstrip("/"), _read(client_id_env), _read(client_secret_env))
            note_secret(tenant.client_secret)
            _confirm(against, yes=yes)
            report = DriftReport.of(ask(tenant))
    except DriftError as error:
        fail(str(error))
    say(str(report))
    if report.drifted:
        raise click.exceptions.Exit(FAILED)


def _check(url: str, *, read_only: bool) -> None:
    from mock_server.serving.exposure import is_loopback

    if not read_only:
        fail("--against: add --read-only, which says what is sent: one token request, then GETs")
    parts = split_base_url(url)
    if parts is None or not parts.hostname:
        fail("--against: write a base URL, such as https://public.api.sandbox.turrisfi.com")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        fail("--against: the credentials would be sent in plain text; use https://")


def _read(variable: str) -> str:
    from mock_server.shell.arguments import shown_variable

    value = os.environ.get(variable, "")
    if not value:
        fail(f"no credentials: set {shown_variable(variable)}")
    return value


def _confirm(url: str, *, yes: bool) -> None:
    host = urlsplit(url).netloc
    say(
        f"One token request and some forty GET requests go to {host}, within a minute; "
        "nothing is written.",
        err=True,
    )
    if not yes and click.prompt("Type the host to go on", err=True) != host:
        fail("nothing was sent: that is not the host")
