"""``turris-sandbox trigger``: sends one signed webhook."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mock_server.exit_status import FAILED, HELP
from mock_server.shell.mistakes import fail
from mock_server.shell.option_types import (
    allowed,
    entity,
    header_lines,
    host_name,
    option_texts,
    payload_file,
    scheme,
    secret_env,
    timeout,
)

if TYPE_CHECKING:
    from pytest_turris.receivers.target import UrlTarget
    from pytest_turris.webhooks.factory import WebhookFactory
    from pytest_turris.webhooks.signed import SignedWebhook

_EXAMPLES = """\b
Examples:
  turris-sandbox trigger PRODUCER_AGREEMENT_EXECUTED --to http://127.0.0.1:3000/webhooks
  turris-sandbox trigger --scheme github --payload push.json --to http://127.0.0.1:3000/github
"""


@click.command(epilog=f"{_EXAMPLES}\n{HELP}")
@click.argument("event", default="")
@click.option("--to", metavar="URL", required=True, help="The receiver.")
@secret_env
@click.option(
    "--set",
    "member",
    metavar="MEMBER=VALUE",
    multiple=True,
    help="A member of the payload, as text or JSON, for example branchName=West. Can be repeated.",
)
@scheme
@payload_file
@entity
@header_lines
@host_name
@timeout
@allowed
@option_texts
def trigger(
    *,
    event: str,
    to: str,
    secret_env: str,
    member: tuple[str, ...],
    scheme: str,
    payload: Path | None,
    entity: str,
    header: tuple[str, ...],
    host: str,
    timeout: float,
    allow: tuple[str, ...],
    option: tuple[str, ...],
) -> None:
    """Send one signed webhook. Exit with 1 unless the receiver accepts it.

    EVENT is a webhookType, for example PRODUCER_AGREEMENT_EXECUTED.
    """
    from mock_server.shell import arguments
    from pytest_turris.core.text.redaction import redact_target

    key = arguments.read_signing_key(secret_env)
    options = arguments.read_options(option, scheme=scheme, webhook_secret=key)
    lines = arguments.read_header_lines(header, options)
    factory = arguments.new_factory(options, entity=entity, lines=lines)
    if payload and (event or member):
        fail("--payload is sent as it is: leave out EVENT and --set")
    if not (payload or event):
        fail("give an EVENT, such as PRODUCER_AGREEMENT_EXECUTED, or --payload FILE")
    target = arguments.read_target(to, host=host, allow=allow)
    if payload:
        webhook = factory.sign(arguments.read_payload(payload, factory).next())
    else:
        webhook = _event(factory, event, member)
    status, cause = _sent(target, webhook, factory.key, timeout, allow)
    if status is None:
        fail(f"no answer from --to {redact_target(to)}: {cause}")
    name = webhook.event_type or f"{len(webhook.body)} bytes"
    shown = "" if payload else f"  (upstreamEntityId {factory.upstream_entity_id})"
    click.echo(f"{name} -> {redact_target(to)}: {status}{shown}")
    if cause:
        click.echo(f"turris-sandbox: {cause}", err=True)
        raise click.exceptions.Exit(FAILED)


def _event(factory: "WebhookFactory", event: str, member: tuple[str, ...]) -> "SignedWebhook":
    from mock_server.shell.arguments import read_members

    try:
        return factory.event(event.upper().replace("-", "_"), **read_members(member))
    except TypeError as error:
        fail(f"--set: {error}")
    except ValueError as error:
        fail(str(error))


def _sent(
    target: "UrlTarget",
    webhook: "SignedWebhook",
    key: str,
    timeout: float,
    allow: tuple[str, ...],
) -> tuple[int | None, str]:
    """The status, and why the receiver did not accept the webhook; empty if it did."""
    from pytest_turris.attacks.receiver import Receiver
    from pytest_turris.attacks.series.causes import why_refused
    from pytest_turris.attacks.step import accepted

    receiver = Receiver(target, timeout=timeout, allow=allow)
    step = accepted(webhook, effects="any")
    response = receiver.send(step)[0]
    answer = response.answer
    if answer is not None and answer.accepted:
        return answer.status_code, ""
    return answer.status_code if answer else None, why_refused(receiver, step, response, key)
