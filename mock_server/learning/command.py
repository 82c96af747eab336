"""``turris-sandbox learn-signature``: reads its options, and prints what was learned."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mock_server.exit_status import FAILED, exit_help
from mock_server.shell.mistakes import fail
from mock_server.shell.option_types import FILE, WEBHOOK_SECRET
from mock_server.shell.printing import say
from pytest_turris.process.reading.input_file import read_input

if TYPE_CHECKING:
    from pytest_turris.webhooks.learning.delivery import CapturedDelivery

_EXAMPLES = """\b
Examples:
  turris-sandbox learn-signature --header 'X-Turris-Signature: 6a3f...' --body body.json
  turris-sandbox learn-signature --delivery first.http --delivery second.http
"""


@click.command("learn-signature", epilog=f"{_EXAMPLES}\n{exit_help('learn-signature')}")
@click.option(
    "--header",
    metavar="NAME: VALUE",
    multiple=True,
    help="A header line of the delivery. Give all of them: a time or an id may be signed too.",
)
@click.option(
    "--body", type=FILE, metavar="FILE", help="The body of the delivery, byte for byte as it came."
)
@click.option(
    "--delivery",
    type=FILE,
    metavar="FILE",
    multiple=True,
    help="A whole delivery: header lines, an empty line, the body. Repeat it: a second one decides "
    "what the first leaves open.",
)
@click.option(
    "--secret-env",
    metavar="NAME",
    multiple=True,
    default=(WEBHOOK_SECRET,),
    show_default=True,
    help="An environment variable that holds the secret. Repeat it if you do not know which "
    "secret signs.",
)
@click.option("--url", default="", help="The URL that was called, in case it is signed too.")
def learn_signature(
    *,
    header: tuple[str, ...],
    body: Path | None,
    delivery: tuple[Path, ...],
    secret_env: tuple[str, ...],
    url: str,
) -> None:
    """Find out from a real delivery how its sender signs, and print the options to set.

    Nothing is sent, and no secret is printed. Exit with 1 if no scheme fits.
    """
    from mock_server.shell.arguments import read_signing_key
    from pytest_turris.webhooks.learning.learned import learned_from

    deliveries = [_read_delivery(file, url) for file in delivery]
    if body or header:
        deliveries.insert(0, _from_parts(header, body, url))
    if not deliveries:
        fail("give --header and --body, or --delivery FILE")
    secrets = {name: read_signing_key(name) for name in secret_env}
    found = {name: learned_from(deliveries, secret) for name, secret in secrets.items()}
    fitting = [name for name, learned in found.items() if learned.readings]
    for name in fitting or found:
        say(f"With the secret in {name}:")
        say(str(found[name]))
    if not fitting:
        raise click.exceptions.Exit(FAILED)


def _from_parts(header: tuple[str, ...], body: Path | None, url: str) -> "CapturedDelivery":
    from pytest_turris.webhooks.learning.delivery import (
        CapturedDelivery,
        DeliveryFormatError,
        header_line,
    )

    if not (header and body):
        fail("give both: --header with the signature, and --body FILE")
    try:
        return CapturedDelivery.of(
            [header_line(line) for line in header], _bytes("--body", body), url=url
        )
    except DeliveryFormatError as error:
        fail(f"--header {error}")


def _read_delivery(file: Path, url: str) -> "CapturedDelivery":
    from pytest_turris.webhooks.learning.delivery import CapturedDelivery, DeliveryFormatError

    try:
        return CapturedDelivery.read(_bytes("--delivery", file), url=url)
    except DeliveryFormatError as error:
        fail(f"--delivery {file}: {error}")


def _bytes(flag: str, file: Path) -> bytes:
    try:
        return read_input(file)
    except OSError as error:
        fail(f"{flag} {file}: {error.strerror or error}")
