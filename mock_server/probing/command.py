"""``turris-sandbox health``: for health checks in images without curl, and for scripts."""

import click

from mock_server.exit_status import FAILED
from mock_server.shell.mistakes import fail
from mock_server.shell.printing import say

_DEFAULT = "http://127.0.0.1:8791"


@click.command()
@click.argument("url", default=_DEFAULT, envvar="TURRIS_BASE_URL")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=0.0,
    help="How long to wait for a sandbox that is still starting.",
)
def health(*, url: str, wait: float) -> None:
    """Exit with 0 if a sandbox answers at URL, and with 1 if not.

    URL is $TURRIS_BASE_URL, or http://127.0.0.1:8791, by default. Nothing secret is sent.
    """
    from mock_server.probing.readiness import why_not_ready

    if why := why_not_ready(url, wait):
        fail(why, FAILED)
    say(f"{url} is ready")
