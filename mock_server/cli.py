"""The commands of ``turris-sandbox``."""

import contextlib
import json
import os
import signal
from typing import Annotated

import typer

from mock_server.arguments import fail, read_entity, read_options
from mock_server.attacking.command import attack
from mock_server.exit_status import HELP
from mock_server.log import standard_error
from mock_server.option_types import (
    ENTITY,
    Allowed,
    AllowedNames,
    Entity,
    Exposed,
    OptionTexts,
)
from mock_server.server import StandaloneSandbox, is_loopback
from mock_server.triggering import trigger
from pytest_turris.core.api.openapi import document
from pytest_turris.core.api.routes import operations_at
from pytest_turris.core.fidelity import FIDELITY
from pytest_turris.core.options import Options

app = typer.Typer(
    help="A fake Turris for local development and CI: stateful, strict, offline.",
    epilog=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_CONTROL_TOKEN = "TURRIS_CONTROL_TOKEN"
_SHORTEST_TOKEN = 32

_TRIGGER_EXAMPLES = """Examples:

turris-sandbox trigger PRODUCER_AGREEMENT_EXECUTED --to http://127.0.0.1:3000/webhooks

turris-sandbox trigger --scheme github --payload push.json --to http://127.0.0.1:3000/github
"""
_ATTACK_EXAMPLES = """Examples:

turris-sandbox attack http://127.0.0.1:3000/webhooks --profile full --json verdicts.json

turris-sandbox attack http://127.0.0.1:3000/webhooks --start 'node receiver.js'
--effects 'sqlite3 app.db "select * from agents"'

turris-sandbox attack http://127.0.0.1:3000/stripe --scheme stripe --payload sample.json
"""

app.command(epilog=f"{_TRIGGER_EXAMPLES}\n{HELP}")(trigger)
app.command(epilog=f"{_ATTACK_EXAMPLES}\n{HELP}")(attack)


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
    exposed: Exposed = False,
    entity: Entity = ENTITY,
    allow: Allowed = None,
    allow_host: AllowedNames = None,
    option: OptionTexts = None,
) -> None:
    """Serve a sandbox with fresh fake credentials until Ctrl-C, and send its webhooks."""
    token = os.environ.get(_CONTROL_TOKEN, "")
    if not is_loopback(host):
        _check_exposure(host, token, allowed=exposed)
    options = read_options(option, tls=tls, upstream_entity_id=read_entity(entity))
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
def fidelity() -> None:
    """Print how closely the sandbox matches Turris, and what is only assumed."""
    from rich.console import Console
    from rich.table import Table

    table = Table("Topic", "What the sandbox does", "How it is known", "Source", "Option")
    for row in FIDELITY:
        options = ", ".join(row.options) or row.no_option or "-"
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
    typer.echo(f"export TURRIS_UPSTREAM_ENTITY_ID={sandbox.sandbox.upstream_entity_id}")
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


def _check_exposure(host: str, token: str, *, allowed: bool) -> None:
    """Say what --host exposes; refuse it without the flag, or with a token that can be guessed."""
    if not allowed:
        fail(
            f"--host {host}: other machines could read and change this sandbox. "
            "To allow that, add --i-understand-network-exposure"
        )
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
