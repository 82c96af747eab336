"""``turris-sandbox serve``: its options."""

import signal
from pathlib import Path
from typing import Any

import click

from mock_server.exit_status import OK, exit_help
from mock_server.shell.completion.values import one_of
from mock_server.shell.mistakes import fail
from mock_server.shell.option_types import FILE, FILE_OR_URL, allowed, entity, option_texts

_EXAMPLES = """\b
Examples:
  turris-sandbox serve --data small_agency --env-file sandbox.env
  turris-sandbox serve --port 0 -- npm test
  turris-sandbox serve --host 0.0.0.0 --i-understand-network-exposure --allow-host turris
"""


@click.command(epilog=f"{_EXAMPLES}\n{exit_help('serve')}")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND ...]")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8791,
    show_default=True,
    help="The port; 0 chooses a free one.",
)
@click.option(
    "--tls",
    is_flag=True,
    help="Use HTTPS, with a certificate authority of the sandbox, a new one at each start.",
)
@click.option(
    "--i-understand-network-exposure",
    "exposed",
    is_flag=True,
    help="Allow a --host that other machines can reach.",
)
@click.option(
    "--allow-host",
    metavar="NAME",
    multiple=True,
    help="Another name by which clients reach the sandbox, for example that of a compose service. "
    "Can be repeated.",
)
@click.option(
    "--public-url",
    metavar="URL",
    default="",
    help="The URL by which clients reach the sandbox, for example that of a tunnel.",
)
@click.option(
    "--cors-origin",
    metavar="ORIGIN",
    multiple=True,
    help="A browser application that may use the API, such as http://localhost:5173. "
    "Can be repeated.",
)
@click.option(
    "--client-id",
    metavar="ID",
    envvar="TURRIS_CLIENT_ID",
    show_envvar=True,
    default="",
    help="The client id; it begins with turris_sandbox_client_. A new one by default.",
)
@click.option(
    "--client-secret",
    metavar="SECRET",
    envvar="TURRIS_CLIENT_SECRET",
    show_envvar=True,
    default="",
    help="The client secret; it begins with turris_sandbox_secret_. A new one by default.",
)
@click.option(
    "--client-name",
    metavar="NAME",
    default="",
    help="The readable end of a new client id, which the log shows.",
)
@click.option(
    "--env-file",
    type=FILE,
    metavar="FILE",
    help="Write the environment of clients to this file, readable by you alone, once it answers.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page of the sandbox in a browser.")
@click.option(
    "--clock-file",
    type=FILE,
    metavar="FILE",
    help="Keep this file in step with the sandbox's clock, for processes under libfaketime.",
)
@click.option(
    "--data",
    metavar="NAME",
    default="",
    shell_complete=one_of("data"),
    help="Start with named data: small_agency, national_network or messy.",
)
@click.option(
    "--store",
    type=FILE_OR_URL,
    metavar="FILE|URL",
    envvar="TURRIS_STORE",
    show_envvar=True,
    help="Keep everything in this file, even if the server is killed; it is made if missing. Or "
    "in PostgreSQL, postgresql://..., which several servers share.",
)
@click.option(
    "--load",
    type=FILE,
    metavar="FILE",
    help="Start with the world in this file, which 'snapshot export' or --turris-capsule wrote.",
)
@entity
@allowed
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What a line of the log is.",
)
@click.option(
    "--log-level",
    type=click.Choice(["info", "warning", "error"]),
    default="info",
    show_default=True,
    help="The lowest level in the log: info has all exchanges, warning what was refused.",
)
@option_texts
def serve(*, env_file: Path | None, command: tuple[str, ...], **given: Any) -> None:  # noqa: ANN401 - the values of the options above
    """Serve a sandbox until Ctrl-C, and send its webhooks.

    With COMMAND, the sandbox runs while the command runs, which finds it in its environment; the
    exit status is that of the command.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # By default process 1 ignores SIGTERM, another process ends without cleaning up, and a
        # script's background process ignores SIGINT.
        signal.signal(number, signal.default_int_handler)
    try:
        from mock_server.serving.run import serve_until_stopped

        status = serve_until_stopped(env_file=env_file, command=command, **given)
    except KeyboardInterrupt:
        fail("stopped before it was ready", OK)
    raise click.exceptions.Exit(status)
