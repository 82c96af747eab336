"""The commands of ``turris-sandbox``."""

import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from mock_server.arguments import (
    fail,
    fail_egress,
    read_choice,
    read_ignored,
    read_members,
    read_options,
    read_signing_key,
)
from mock_server.log import standard_error
from mock_server.server import StandaloneSandbox, is_loopback
from pytest_turris.core.api.openapi import document
from pytest_turris.core.api.routes import operations_at
from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.fidelity import FIDELITY
from pytest_turris.core.options import Options, choices
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.redaction import redact_target
from pytest_turris.receivers.egress import EgressRefused
from pytest_turris.webhooks.factory import WebhookFactory

app = typer.Typer(
    help="A fake Turris for local development and CI: stateful, strict, offline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_CONTROL_TOKEN = "TURRIS_CONTROL_TOKEN"
_SHORTEST_TOKEN = 32

OptionTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        "-o",
        metavar="NAME=VALUE",
        help="An option of the sandbox, for example token_ttl=60. Can be repeated.",
    ),
]

Allowed = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Another machine that webhooks may be sent to. Can be repeated.",
    ),
]

Ignored = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID=REASON",
        help="An attack to skip, for example 'WH-70=the last one wins'. Can be repeated.",
    ),
]

EventOption = Annotated[
    list[str] | None,
    typer.Option(
        help="A webhookType that the receiver acts on; all four by default. Can be repeated."
    ),
]

JsonFile = Annotated[
    Path | None, typer.Option("--json", help="A file to write the verdicts to, redacted.")
]

SecretEnv = Annotated[
    str, typer.Option(help="The environment variable that holds the signing key.")
]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port; 0 chooses a free one.")
    ] = 8791,
    *,
    tls: Annotated[
        bool, typer.Option("--tls", help="Use HTTPS, with a certificate authority of the sandbox.")
    ] = False,
    exposed: Annotated[
        bool,
        typer.Option(
            "--i-understand-network-exposure",
            help="Allow a --host that other machines can reach.",
        ),
    ] = False,
    allow: Allowed = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Another name by which clients reach the sandbox, for example that of a compose "
            "service. Can be repeated.",
        ),
    ] = None,
    option: OptionTexts = None,
) -> None:
    """Serve a sandbox with fresh fake credentials until Ctrl-C, and send its webhooks."""
    if not is_loopback(host) and not exposed:
        fail(
            f"--host {host}: other machines could read and change this sandbox. "
            "To allow that, add --i-understand-network-exposure"
        )
    token = os.environ.get(_CONTROL_TOKEN, "")
    if not is_loopback(host):
        _check_exposure(host, token)
    options = read_options(option, tls=tls)
    log = standard_error()
    try:
        sandbox = StandaloneSandbox(
            options,
            host=host,
            port=port,
            log=log.write,
            allow=allow or (),
            control_token=token,
            allow_hosts=allow_host or (),
        )
    except OSError as error:
        reason = error.strerror or error
        fail(f"cannot listen on --host {host} --port {port}: {reason}; try --port 0")
    with contextlib.closing(log), sandbox, contextlib.suppress(KeyboardInterrupt):
        # By default process 1 ignores SIGTERM, and any other process ends without cleaning up.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        _print_environment(sandbox)
        sandbox.wait()
    typer.echo("\nstopped", err=True)


@app.command()
def trigger(
    event: Annotated[
        str, typer.Argument(help="The webhookType, for example PRODUCER_AGREEMENT_EXECUTED.")
    ],
    to: Annotated[str, typer.Option(metavar="URL", help="The receiver.")],
    secret_env: SecretEnv = "TURRIS_WEBHOOK_SECRET",
    member: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="MEMBER=VALUE",
            help="A member of the payload, as text or JSON, for example branchName=West. "
            "Can be repeated.",
        ),
    ] = None,
    allow: Allowed = None,
    option: OptionTexts = None,
) -> None:
    """Send one signed webhook. Exit with 1 unless the receiver accepts it."""
    options = read_options(option, webhook_secret=read_signing_key(secret_env))
    factory = WebhookFactory.of(Sandbox(options, name=os.urandom(8).hex()))
    url = redact_target(to)
    try:
        webhook = factory.event(event.upper().replace("-", "_"), **read_members(member))
        answer = webhook.send(to, allow=allow or ())
    except EgressRefused as error:
        fail_egress(error)
    except TypeError as error:
        fail(f"--set: {error}")
    except ValueError as error:
        fail(str(error))
    except OSError as error:
        fail(f"no answer from --to {url}: {error.strerror or error}")
    typer.echo(f"{webhook.event_type} -> {url}: {answer.status_code}")
    if not answer.accepted:
        raise typer.Exit(1)


@app.command()
def attack(
    url: Annotated[
        str, typer.Argument(help="The receiver, for example http://127.0.0.1:3000/webhooks.")
    ],
    secret_env: SecretEnv = "TURRIS_WEBHOOK_SECRET",
    profile: Annotated[
        str, typer.Option(help="quick (the most important attacks) or full (all of them).")
    ] = "quick",
    entity: Annotated[
        str, typer.Option(help="The upstreamEntityId that the receiver accepts as its own.")
    ] = "507f1f77bcf86cd799439010",
    event: EventOption = None,
    ignore: Ignored = None,
    json_file: JsonFile = None,
    allow: Allowed = None,
    option: OptionTexts = None,
) -> None:
    """Attack a receiver with hostile webhooks. Exit with 1 if a `must` fails."""
    from rich.console import Console

    from mock_server.attack_report import report, run_profile, write_json
    from pytest_turris.attacks.receiver import Receiver

    secret = read_signing_key(secret_env)
    events = [read_choice("--event", name, EVENTS) for name in event or ()]
    ignored = read_ignored(ignore)
    profile = read_choice("--profile", profile, choices("attack_profile"))
    options = read_options(option, webhook_secret=secret, attack_profile=profile)
    factory = WebhookFactory.of(Sandbox(options, name=os.urandom(8).hex()), entity=entity)
    console = Console()
    receiver = Receiver(url, allow=allow or ())
    try:
        result = run_profile(
            receiver, factory, options.attack_profile, console, events=events, ignored=ignored
        )
    except EgressRefused as error:
        fail_egress(error)
    report(result, console)
    try:
        if json_file:
            write_json(result.verdicts, json_file)
    except OSError as error:
        fail(f"--json {json_file}: cannot write the verdicts: {error.strerror or error}")
    if not result.answered:
        raise typer.Exit(2)
    if any(verdict.outcome == "failed" for verdict in result.verdicts):
        raise typer.Exit(1)


@app.command()
def fidelity() -> None:
    """Print how closely the sandbox matches Turris, and what is only assumed."""
    from rich.console import Console
    from rich.table import Table

    table = Table("Topic", "What the sandbox does", "How it is known", "Source", "Option")
    for row in FIDELITY:
        options = ", ".join(row.options) or "-"
        table.add_row(row.topic, row.what, row.provenance, row.source, options)
    Console().print(table)


@app.command()
def openapi(option: OptionTexts = None) -> None:
    """Print the OpenAPI 3.1 description of a sandbox with these options."""
    options = read_options(option)
    operations = operations_at(options.webhooks_path)
    typer.echo(json.dumps(document(operations, options), indent=2))


def _print_environment(sandbox: StandaloneSandbox) -> None:
    """Print what a client needs, as lines that can be pasted into a shell. All values are fakes."""
    typer.echo(f"# Turris sandbox at {sandbox.base_url}; Ctrl-C stops it, nothing is stored")
    for name, value in sandbox.environment().items():
        typer.echo(f"export {name}={value}")
    if not os.environ.get(_CONTROL_TOKEN):
        typer.echo(f"export {_CONTROL_TOKEN}={sandbox.control_token}")
    typer.echo(_webhook_hint(sandbox.sandbox.options))
    typer.echo("# pytest --turris-url $TURRIS_BASE_URL runs tests whose sandboxes answer here")
    body = '{"clientId":"\'$TURRIS_CLIENT_ID\'","clientSecret":"\'$TURRIS_CLIENT_SECRET\'"}'
    certificate = " --cacert $SSL_CERT_FILE" if sandbox.ca_file else ""
    typer.echo(
        f"# curl{certificate} $TURRIS_BASE_URL/v1/auth/jwt "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )


def _webhook_hint(options: Options) -> str:
    wait = options.webhook_debounce.total_seconds()
    status_events = (
        f"wait for {wait:g} s; -o webhook_debounce=0 sends them at once"
        if wait
        else "are sent at once"
    )
    return (
        f"# Webhooks registered at {options.webhooks_path} are sent to this machine; "
        f"the two status events {status_events}"
    )


def _check_exposure(host: str, token: str) -> None:
    """Say what --host exposes; refuse a control token that can be guessed."""
    if token and len(token) < _SHORTEST_TOKEN:
        fail(
            f"--host {host}: {_CONTROL_TOKEN} has fewer than {_SHORTEST_TOKEN} characters. "
            "Take a longer one, or none: then the sandbox makes one"
        )
    typer.echo(
        f"# --host {host}: other machines can read and change this sandbox. It holds fakes only; "
        "put no real data into it",
        err=True,
    )
