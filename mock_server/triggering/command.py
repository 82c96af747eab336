"""``turris-sandbox trigger``: sends one signed webhook."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mock_server.exit_status import FAILED, exit_help
from mock_server.shell.completion.values import member_of_event, names, one_of
from mock_server.shell.mistakes import fail
from mock_server.shell.option_types import (
    allowed,
    entity,
    header_lines,
    host_name,
    payload_file,
    scheme,
    secret_env,
    signing_texts,
    timeout,
)
from mock_server.shell.printing import say

if TYPE_CHECKING:
    from pytest_turris.receivers.target import UrlTarget
    from pytest_turris.webhooks.factory import WebhookFactory
    from pytest_turris.webhooks.signed import SignedWebhook

_EXAMPLES = """\b
Examples:
  turris-sandbox trigger PRODUCER_AGREEMENT_EXECUTED --to http://127.0.0.1:3000/webhooks
  turris-sandbox trigger --scheme github --payload push.json --to http://127.0.0.1:3000/github
"""


def _events() -> str:
    """The events and their members, for the help."""
    lines = [f"  {name}\n    {', '.join(members)}" for name, members in names()["events"].items()]
    return "\b\nEvents, each with the members that --set takes:\n" + "\n".join(lines)


@click.command(epilog=f"{_events()}\n\n{_EXAMPLES}\n{exit_help('trigger')}")
@click.argument("words", nargs=-1, metavar="EVENT", shell_complete=one_of("events"))
@click.option("--to", metavar="URL", default="", help="The receiver; needed without --print.")
@click.option(
    "--print",
    "is_printed",
    is_flag=True,
    help="Print the request, and send nothing: its body goes to standard output.",
)
@secret_env
@click.option(
    "--set",
    "member",
    metavar="MEMBER=VALUE",
    multiple=True,
    shell_complete=member_of_event,
    help="A member of the payload, as text or JSON, for example branchName=West. Can be repeated.",
)
@scheme
@payload_file
@entity
@header_lines
@host_name
@timeout
@allowed
@signing_texts
def trigger(
    *,
    words: tuple[str, ...],
    to: str,
    is_printed: bool,
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

    event = _event(words, to)
    _check(payload, event, member)
    if not (to or is_printed):
        fail("give the receiver: --to URL; or --print, which sends nothing")
    key = arguments.read_signing_key(secret_env)
    options = arguments.read_options(
        option, scheme=scheme, reads=arguments.OF_WEBHOOKS, webhook_secret=key
    )
    lines = arguments.read_header_lines(header, options)
    factory = arguments.new_factory(options, entity=entity, lines=lines)
    target = None if is_printed else arguments.read_target(to, host=host, allow=allow)
    webhook = _webhook(factory, payload, event, member)
    if target is None:
        return _print(webhook)
    status, cause, answer = _sent(target, webhook, factory.key, timeout, allow)
    if status is None:
        fail(f"no answer from --to {redact_target(to)}: {cause}")
    name = webhook.event_type or f"{len(webhook.body)} bytes"
    shown = "" if payload else f"  (upstreamEntityId {factory.upstream_entity_id})"
    say(f"{name} -> {redact_target(to)}: {status}{shown}")
    if cause:
        if answer:
            say(f"answer: {answer}", err=True)
        say(f"turris-sandbox: {cause}", err=True)
        raise click.exceptions.Exit(FAILED)
    return None


def _event(words: tuple[str, ...], to: str) -> str:
    """Return the one event; the receiver, which is not an argument here, is easily mixed up."""
    from pytest_turris.core.text.redaction import redact_target

    events = [word for word in words if "://" not in word]
    urls = [redact_target(word) for word in (*words, to) if "://" in word]
    known = [*events, *(word for word in (to,) if word.upper() in names()["events"])]
    meant = f"turris-sandbox trigger {(*known, 'EVENT')[0]} --to {(*urls, 'URL')[0]}"
    if len(events) < len(words) or (to and known[-1:] == [to]):
        fail(f"the receiver is the value of --to: {meant}")
    if len(events) > 1:
        fail(f"got {len(events)} words for one EVENT: {', '.join(events)}; write {meant}")
    return events[0] if events else ""


def _check(payload: Path | None, event: str, member: tuple[str, ...]) -> None:
    if payload and (event or member):
        fail("--payload is sent as it is: leave out EVENT and --set")
    if not (payload or event):
        fail("give an EVENT, such as PRODUCER_AGREEMENT_EXECUTED, or --payload FILE")


def _print(webhook: "SignedWebhook") -> None:
    """Print the body as it would be sent; the header lines go to standard error."""
    for name, value in webhook.header_lines:
        say(f"{name}: {value}", err=True)
    click.echo(webhook.body, nl=False)


def _webhook(
    factory: "WebhookFactory", payload: Path | None, event: str, member: tuple[str, ...]
) -> "SignedWebhook":
    from mock_server.shell.arguments import read_members, read_payload

    if payload:
        return factory.sign(read_payload(payload, factory).next())
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
) -> tuple[int | None, str, str]:
    """Return the status, the reason of a refusal (empty if accepted), and the answer."""
    from pytest_turris.attacks.receiver import Receiver
    from pytest_turris.attacks.series.causes import why_refused
    from pytest_turris.attacks.step import accepted
    from pytest_turris.core.text.redaction import preview

    receiver = Receiver(target, timeout=timeout, allow=allow)
    step = accepted(webhook, effects="any")
    response = receiver.send(step)[0]
    answer = response.answer
    if answer is not None and answer.accepted:
        return answer.status_code, "", ""
    cause = why_refused(receiver, step, response, key)
    if answer is None:
        return None, cause, ""
    return answer.status_code, cause, " ".join(preview(answer.body).split())
