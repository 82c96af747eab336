"""``turris-sandbox serve``: reads its options, and prints what a client needs."""

import contextlib
import os
import signal
from typing import TYPE_CHECKING

import click

from mock_server.shell.mistakes import fail
from mock_server.shell.option_types import allowed, entity, option_texts

if TYPE_CHECKING:
    from mock_server.serving.server import StandaloneSandbox
    from pytest_turris.core.options import Options

_CONTROL_TOKEN = "TURRIS_CONTROL_TOKEN"
_SHORTEST_TOKEN = 32


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8791,
    show_default=True,
    help="The port; 0 chooses a free one.",
)
@click.option("--tls", is_flag=True, help="Use HTTPS, with a certificate authority of the sandbox.")
@click.option(
    "--i-understand-network-exposure",
    "exposed",
    is_flag=True,
    help="Allow a --host that other machines can reach.",
)
@entity
@allowed
@click.option(
    "--allow-host",
    metavar="NAME",
    multiple=True,
    help="Another name by which clients reach the sandbox, for example that of a compose service. "
    "Can be repeated.",
)
@option_texts
def serve(
    *,
    host: str,
    port: int,
    tls: bool,
    exposed: bool,
    entity: str,
    allow: tuple[str, ...],
    allow_host: tuple[str, ...],
    option: tuple[str, ...],
) -> None:
    """Serve a sandbox with fresh fake credentials until Ctrl-C, and send its webhooks."""
    from mock_server.serving.log import standard_error
    from mock_server.serving.server import StandaloneSandbox, is_loopback
    from mock_server.shell.arguments import read_entity, read_options

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
            allow=allow,
            control_token=token,
            allow_hosts=allow_host,
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
    click.echo("\nstopped", err=True)


def _print_environment(sandbox: "StandaloneSandbox") -> None:
    """Print what a client needs, as lines that can be pasted into a shell. All values are fakes."""
    click.echo(f"# Turris sandbox at {sandbox.base_url}; Ctrl-C stops it, nothing is stored")
    for name, value in sandbox.environment().items():
        click.echo(f"export {name}={value}")
    if not os.environ.get(_CONTROL_TOKEN):
        click.echo(f"export {_CONTROL_TOKEN}={sandbox.control_token}")
    click.echo(f"export TURRIS_UPSTREAM_ENTITY_ID={sandbox.sandbox.upstream_entity_id}")
    click.echo(_webhook_hint(sandbox.sandbox.options))
    click.echo("# pytest --turris-url $TURRIS_BASE_URL runs tests whose sandboxes answer here")
    body = '{"clientId":"\'$TURRIS_CLIENT_ID\'","clientSecret":"\'$TURRIS_CLIENT_SECRET\'"}'
    certificate = " --cacert $SSL_CERT_FILE" if sandbox.ca_file else ""
    click.echo(
        f"# curl{certificate} $TURRIS_BASE_URL/v1/auth/jwt "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )


def _webhook_hint(options: "Options") -> str:
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
    click.echo(
        f"# --host {host}: other machines can read and change this sandbox. It holds fakes only; "
        "put no real data into it",
        err=True,
    )
