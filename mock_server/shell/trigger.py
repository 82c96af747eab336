"""``turris-sandbox trigger``: sends one signed webhook."""

from typing import Annotated

import typer

from mock_server.exit_status import FAILED
from mock_server.shell.arguments import (
    fail,
    new_factory,
    read_header_lines,
    read_members,
    read_options,
    read_payload,
    read_signing_key,
    read_target,
)
from mock_server.shell.option_types import (
    ENTITY,
    TIMEOUT,
    Allowed,
    Entity,
    HeaderLines,
    HostName,
    OptionTexts,
    PayloadFile,
    Scheme,
    SecretEnv,
    Timeout,
)
from pytest_turris.core.text.redaction import redact_target
from pytest_turris.receivers.target import UrlTarget
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signed import SignedWebhook

Members = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="MEMBER=VALUE",
        help="A member of the payload, as text or JSON, for example branchName=West. "
        "Can be repeated.",
    ),
]


def trigger(
    to: Annotated[str, typer.Option(metavar="URL", help="The receiver.")],
    event: Annotated[
        str, typer.Argument(help="The webhookType, for example PRODUCER_AGREEMENT_EXECUTED.")
    ] = "",
    secret_env: SecretEnv = "TURRIS_WEBHOOK_SECRET",
    member: Members = None,
    scheme: Scheme = "turris",
    payload: PayloadFile = None,
    entity: Entity = ENTITY,
    header: HeaderLines = None,
    host: HostName = "",
    timeout: Timeout = TIMEOUT,
    allow: Allowed = None,
    option: OptionTexts = None,
) -> None:
    """Send one signed webhook. Exit with 1 unless the receiver accepts it."""
    options = read_options(option, scheme=scheme, webhook_secret=read_signing_key(secret_env))
    lines = read_header_lines(header, options)
    factory = new_factory(options, entity=entity, lines=lines)
    if payload and (event or member):
        fail("--payload is sent as it is: leave out EVENT and --set")
    if not (payload or event):
        fail("give an EVENT, such as PRODUCER_AGREEMENT_EXECUTED, or --payload FILE")
    target = read_target(to, host=host, allow=allow or ())
    if payload:
        webhook = factory.sign(read_payload(payload, factory).next())
    else:
        webhook = _event(factory, event, member)
    status, cause = _sent(target, webhook, factory.key, timeout, allow or [])
    if status is None:
        fail(f"no answer from --to {redact_target(to)}: {cause}")
    name = webhook.event_type or f"{len(webhook.body)} bytes"
    shown = "" if payload else f"  (upstreamEntityId {factory.upstream_entity_id})"
    typer.echo(f"{name} -> {redact_target(to)}: {status}{shown}")
    if cause:
        typer.echo(f"turris-sandbox: {cause}", err=True)
        raise typer.Exit(FAILED)


def _event(factory: WebhookFactory, event: str, member: list[str] | None) -> SignedWebhook:
    try:
        return factory.event(event.upper().replace("-", "_"), **read_members(member))
    except TypeError as error:
        fail(f"--set: {error}")
    except ValueError as error:
        fail(str(error))


def _sent(
    target: UrlTarget, webhook: SignedWebhook, key: str, timeout: float, allow: list[str]
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
