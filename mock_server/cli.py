"""The command line: ``turris-sandbox serve``, ``trigger``, ``attack`` and ``fidelity``."""

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from mock_server.server import StandaloneSandbox, is_loopback
from pytest_turris.core.api.openapi import document
from pytest_turris.core.api.routes import operations_at
from pytest_turris.core.fidelity import FIDELITY
from pytest_turris.core.options import OptionError, Options, option_types, parse
from pytest_turris.core.outbox.event_models import EVENTS
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.errors import IgnoreError
from pytest_turris.findings.ignore import IgnoredChecks
from pytest_turris.receivers.egress import EgressRefused
from pytest_turris.webhooks.factory import WebhookFactory

app = typer.Typer(
    help="A fake Turris for local development: stateful, strict, offline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_CONTROL_TOKEN = "TURRIS_CONTROL_TOKEN"

OptionTexts = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", help="An option of the sandbox, such as token_ttl=60."),
]

Allowed = Annotated[
    list[str] | None,
    typer.Option(help="A host:port to send to although it is not on this machine."),
]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.")] = 8791,
    *,
    tls: Annotated[
        bool, typer.Option("--tls", help="Speak HTTPS, with an authority of its own.")
    ] = False,
    exposed: Annotated[
        bool,
        typer.Option(
            "--i-understand-network-exposure",
            help="Allow an address that other machines can reach.",
        ),
    ] = False,
    allow: Allowed = None,
    option: OptionTexts = None,
) -> None:
    """Serve a sandbox with fresh fake credentials until Ctrl-C, and send its webhooks."""
    if not is_loopback(host) and not exposed:
        _fail(
            f"{host} can be reached by other machines; they could read and change this sandbox. "
            "If you mean it: --i-understand-network-exposure"
        )
    options = _options(option, tls=tls)
    try:
        sandbox = StandaloneSandbox(
            options,
            host=host,
            port=port,
            log=_log,
            allow=allow or (),
            control_token=os.environ.get(_CONTROL_TOKEN, ""),
        )
    except OSError as error:
        _fail(f"cannot listen on {host}:{port}: {error.strerror or error}; try --port 0")
    with sandbox:
        _introduce(sandbox)
        try:
            sandbox.wait()
        except KeyboardInterrupt:
            typer.echo("\nstopped", err=True)


@app.command()
def trigger(
    event: Annotated[str, typer.Argument(help="Such as PRODUCER_AGREEMENT_EXECUTED.")],
    to: Annotated[str, typer.Option(help="The receiver's URL.")],
    secret_env: Annotated[
        str, typer.Option(help="The environment variable that holds the signing key.")
    ] = "TURRIS_WEBHOOK_SECRET",
    member: Annotated[
        list[str] | None,
        typer.Option("--set", help="A member of the payload, such as branchName=West or JSON."),
    ] = None,
    allow: Allowed = None,
    option: OptionTexts = None,
) -> None:
    """Send one signed webhook, and exit with 1 unless the receiver accepts it."""
    secret = os.environ.get(secret_env)
    if not secret:
        _fail(f"no signing key: set {secret_env}, or name another variable with --secret-env")
    options = _options(option, webhook_secret=secret)
    factory = WebhookFactory.of(Sandbox(options, name=os.urandom(8).hex()))
    try:
        webhook = factory.event(event.upper().replace("-", "_"), **_members(member))
        answer = webhook.send(to, allow=allow or ())
    except (EgressRefused, TypeError, ValueError) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"no answer from {to}: {error.strerror or error}")
    typer.echo(f"{webhook.event_type} -> {to}: {answer.status_code}")
    if not answer.accepted:
        raise typer.Exit(1)


@app.command()
def attack(
    url: Annotated[str, typer.Argument(help="The receiver, such as http://127.0.0.1:3000/hooks.")],
    secret_env: Annotated[
        str, typer.Option(help="The environment variable that holds the signing key.")
    ] = "TURRIS_WEBHOOK_SECRET",
    profile: Annotated[str, typer.Option(help="quick (about 25 attacks) or full.")] = "quick",
    entity: Annotated[
        str, typer.Option(help="The upstreamEntityId that the receiver takes for its own.")
    ] = "507f1f77bcf86cd799439010",
    event: Annotated[
        list[str] | None, typer.Option(help="A webhookType that the receiver acts on; default all.")
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="An attack to leave out, with the reason: 'WH-70=the last one wins'."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Where to write the verdicts as JSON.")
    ] = None,
    allow: Allowed = None,
    option: OptionTexts = None,
) -> None:
    """Attack a receiver with hostile webhooks, and exit with 1 if a `must` fails."""
    from rich.console import Console

    from mock_server.attack_report import is_reachable, report, run_profile, write_json
    from pytest_turris.attacks.receiver import Receiver

    secret = os.environ.get(secret_env)
    if not secret:
        _fail(f"no signing key: set {secret_env}, or name another variable with --secret-env")
    if unknown := set(event or ()) - set(EVENTS):
        _fail(f"no event {min(unknown)!r}; there are {', '.join(EVENTS)}")
    ignored = _ignored(ignore)
    options = _options(option, webhook_secret=secret, attack_profile=profile)
    factory = WebhookFactory.of(Sandbox(options, name=os.urandom(8).hex()), entity=entity)
    console = Console()
    receiver = Receiver(url, allow=allow or ())
    try:
        if not is_reachable(receiver, factory):
            _fail(f"nothing answers at {url}")
        verdicts = run_profile(
            receiver, factory, options.attack_profile, console, events=event or (), ignored=ignored
        )
    except EgressRefused as error:
        _fail(str(error))
    report(verdicts, console)
    if json_file:
        try:
            write_json(verdicts, json_file)
        except OSError as error:
            _fail(f"the verdicts are not written to {json_file}: {error.strerror or error}")
    if any(verdict.outcome == "failed" for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def fidelity() -> None:
    """Print how near the sandbox is to Turris, and what is only assumed."""
    from rich.console import Console
    from rich.table import Table

    table = Table("Topic", "What the sandbox does", "How it is known", "Source", "Option")
    for row in FIDELITY:
        options = ", ".join(row.options) or "-"
        table.add_row(row.topic, row.what, row.provenance, row.source, options)
    Console().print(table)


@app.command()
def openapi(option: OptionTexts = None) -> None:
    """Print the OpenAPI 3.1 description of what a sandbox with these options answers."""
    options = _options(option)
    operations = operations_at(options.webhooks_path)
    typer.echo(json.dumps(document(operations, options), indent=2))


def _introduce(sandbox: StandaloneSandbox) -> None:
    """What a client needs; the lines can be pasted into a shell. All of it is fake."""
    typer.echo(f"# Turris sandbox at {sandbox.base_url}; Ctrl-C stops it, nothing is stored")
    for name, value in sandbox.environment().items():
        typer.echo(f"export {name}={value}")
    if _CONTROL_TOKEN not in os.environ:
        typer.echo(f"export {_CONTROL_TOKEN}={sandbox.control_token}")
    body = '{"clientId":"\'$TURRIS_CLIENT_ID\'","clientSecret":"\'$TURRIS_CLIENT_SECRET\'"}'
    typer.echo(_about_webhooks(sandbox.sandbox.options))
    typer.echo("# pytest --turris-url $TURRIS_BASE_URL lets the sandboxes of tests answer here")
    certificate = " --cacert $SSL_CERT_FILE" if sandbox.ca_file else ""
    typer.echo(
        f"# curl{certificate} $TURRIS_BASE_URL/v1/auth/jwt "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )


def _about_webhooks(options: Options) -> str:
    held = options.webhook_debounce.total_seconds()
    wait = f"wait for {held:g} s, or -o webhook_debounce=0" if held else "are sent at once"
    return (
        f"# Webhooks registered at {options.webhooks_path} are sent to this machine; "
        f"the two status events {wait}"
    )


def _log(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads on
        sys.stderr.write(f"{line}\n")


def _options(texts: list[str] | None, **fixed: Any) -> Options:  # noqa: ANN401 - options' values
    given: dict[str, Any] = {}
    try:
        for text in texts or ():
            name, equals, value = text.partition("=")
            if not equals:
                _fail(f"--option {text!r}: write it as name=value")
            given[name] = parse(name, value) if name in option_types() else value
        return Options.from_layers(given, fixed)
    except OptionError as error:
        _fail(str(error))


def _ignored(texts: list[str] | None) -> IgnoredChecks:
    from pytest_turris.attacks.catalogue import ATTACKS

    ignored = IgnoredChecks([attack.id for attack in ATTACKS])
    try:
        for text in texts or ():
            ignored.add_option(text)
    except IgnoreError as error:
        _fail(f"--{error}")
    return ignored


def _members(texts: list[str] | None) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals:
            _fail(f"--set {text!r}: write it as member=value")
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = value
        # No event has a number; an NPN has digits alone.
        members[name] = value if type(parsed) in (int, float) else parsed
    return members


def _fail(words: str) -> NoReturn:
    typer.echo(f"turris-sandbox: {words}", err=True)
    raise typer.Exit(2)
