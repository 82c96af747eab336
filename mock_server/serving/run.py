"""One run of ``turris-sandbox serve``."""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mock_server import starting
from mock_server.exit_status import INTERNAL_ERROR, OK
from mock_server.serving.exposure import settings_of
from mock_server.serving.files.clock_file import ClockFile
from mock_server.serving.files.env_file import exports, replaceable, write_env_file
from mock_server.serving.log import ServerLog, logs_of_libraries, standard_error
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from mock_server.shell.arguments import read_entity, read_options
from mock_server.shell.mistakes import fail
from mock_server.shell.printing import say
from pytest_turris.core.access.credential import (
    CLIENT_MARK,
    SECRET_MARK,
    ApiClient,
    CredentialError,
)
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.plurals import counted
from pytest_turris.doors.sockets.limits import allow_most_connections
from pytest_turris.process.control_token import CONTROL_TOKEN, control_token

if TYPE_CHECKING:
    from mock_server.store.store import Store

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOWN = 5
"""How many undelivered webhooks the last line names."""


def serve_until_stopped(
    *,
    command: tuple[str, ...],
    env_file: Path | None,
    store: str | None,
    load: Path | None,
    clock_file: Path | None,
    opens: bool,
    log_format: str,
    log_level: Any,  # noqa: ANN401 - one of the levels: click has checked it
    **given: Any,  # noqa: ANN401 - the other options of the command line
) -> int:
    """Serve until a signal, or until the command ends; return the exit status."""
    settings = settings_of(**given)
    _check_replaceable("--env-file", env_file)
    _check_replaceable("--clock-file", clock_file)
    allow_most_connections()
    sandbox = _sandbox(load, **given)
    log = standard_error(as_json=log_format == "json", level=log_level)
    with contextlib.closing(log), logs_of_libraries(log), contextlib.ExitStack() as files:
        opened = _kept(store, sandbox, files, log, load=load, **given) if store else None
        with _started(settings, sandbox, log, opened) as server:
            try:
                if clock_file:
                    files.enter_context(_followed(clock_file, sandbox, log))
                if opens:
                    _open_page(server.page_address())
                if env_file:
                    _keep(env_file, server, log)
                status = _serve(server, command, opened.place if opened else None)
            except KeyboardInterrupt:
                status = OK
            finally:
                # This takes a second, and a second interrupt would leave files behind.
                for number in _SIGNALS:
                    signal.signal(number, signal.SIG_IGN)
        # Other servers of a shared store send what is left.
        _log_end(log, () if opened and opened.is_shared else server.unsent())
    return status


def _serve(
    server: StandaloneSandbox,
    command: tuple[str, ...],
    store: str | None,
) -> int:
    """Announce a server that answers, and wait."""
    starting.finish()
    if command:
        from mock_server.serving.child import run_command

        return run_command(command, server.environment(), server.base_url)
    # It serves anyway if standard output is closed, or has no reader.
    with contextlib.suppress(OSError):
        _print_environment(server, f"its state stays in {store}" if store else "nothing is stored")
    server.wait()  # a signal ends it with an exception
    click.echo("turris-sandbox: the server ended by itself; its log says why", err=True)
    return INTERNAL_ERROR


def _kept(
    place: str,
    sandbox: Sandbox,
    files: contextlib.ExitStack,
    log: ServerLog,
    *,
    load: Path | None,
    tls: bool,
    data: str,
    client_id: str,
    client_secret: str,
    client_name: str,
    **_: object,
) -> "Store":
    from mock_server.serving.state import close_store, keep, open_store

    store = open_store(place, log.warn)
    keep(
        store,
        sandbox,
        given={
            "--load": load is not None,
            "--data": bool(data),
            "--client-name": bool(client_name),
            "--client-id": bool(client_id) and client_id.startswith(CLIENT_MARK),
            "--client-secret": bool(client_secret) and client_secret.startswith(SECRET_MARK),
        },
    )
    files.callback(close_store, store, log.warn)
    if tls:
        say(
            "# --tls: its certificate authority is not in the store; each start makes a new one: "
            "let clients trust the file that SSL_CERT_FILE names now",
            err=True,
        )
    return store


def _sandbox(
    load: Path | None,
    *,
    tls: bool,
    entity: str,
    client_id: str,
    client_secret: str,
    client_name: str,
    data: Any,  # noqa: ANN401 - the sandbox checks the name
    option: tuple[str, ...],
    **_: object,
) -> Sandbox:
    fixed: dict[str, Any] = {"tls": tls, "upstream_entity_id": read_entity(entity)}
    world = None
    if load:
        from mock_server.serving.state import load_world, read_world

        world = read_world(load)
    options = read_options(option, base=world.options if world else None, **fixed)
    if client_name:
        client_id = f"{CLIENT_MARK}{client_name}"
    client_id = _unless_real("TURRIS_CLIENT_ID", client_id, CLIENT_MARK)
    client_secret = _unless_real("TURRIS_CLIENT_SECRET", client_secret, SECRET_MARK)
    try:
        # Random, so that what an earlier run issued is refused; a given seed repeats it.
        is_seeded = any(text.startswith("seed=") for text in option)
        name = "" if is_seeded else os.urandom(16).hex()
        sandbox = Sandbox(options, name=name, client_id=client_id, client_secret=client_secret)
        if data:
            sandbox.seed(data)
        if world and load:
            load_world(sandbox, world, load)
    except CredentialError as error:
        fail(f"--client-id, --client-secret or --client-name: {error}")
    except UnknownNameError as error:
        fail(f"--data: {error}")
    return sandbox


def _unless_real(variable: str, text: str, mark: str) -> str:
    """Leave out credentials for the real Turris that are in the environment; they are not shown."""
    if text and text == os.environ.get(variable) and not text.startswith(mark):
        say(
            f"# {variable} in the environment is not that of a sandbox ({mark}...): "
            "it is not used here",
            err=True,
        )
        return ""
    return text


def _started(
    settings: ServerSettings, sandbox: Sandbox, log: ServerLog, store: "Store | None"
) -> StandaloneSandbox:
    try:
        return StandaloneSandbox(sandbox, settings, log, store)
    except OSError as error:
        where = f"--host {settings.host} --port {settings.port}"
        fail(f"cannot listen on {where}: {error.strerror or error}; try --port 0")


def _check_replaceable(flag: str, file: Path | None) -> None:
    """End the command if a file that it is going to replace is something else, such as a device."""
    try:
        if file:
            replaceable(file)
    except OSError as error:
        fail(f"{flag} {file}: cannot write it: {error.strerror or error}")


def _followed(file: Path, sandbox: Sandbox, log: ServerLog) -> contextlib.closing[ClockFile]:
    def on_error(error: OSError) -> None:
        _log_stale(log, "--clock-file", file, error)

    try:
        return contextlib.closing(ClockFile(file, sandbox.clock, on_error))
    except OSError as error:
        fail(f"--clock-file {file}: cannot write it: {error.strerror or error}")


def _keep(file: Path, server: StandaloneSandbox, log: ServerLog) -> None:
    """Write the credentials into a file, and again whenever the secret is rotated."""
    try:
        write_env_file(file, server.environment())
    except OSError as error:
        fail(f"--env-file {file}: cannot write it: {error.strerror or error}")

    def rewrite(_: ApiClient) -> None:
        try:
            write_env_file(file, server.environment())
        except OSError as error:
            _log_stale(log, "--env-file", file, error)

    server.sandbox.credentials.on_rotate = rewrite


def _log_stale(log: ServerLog, flag: str, file: Path, error: OSError) -> None:
    """Say that a file could not follow a change, which is in effect."""
    reason = error.strerror or error
    log.write(f"{flag} {file}: cannot write it, so it is out of date: {reason}", "error")


def _log_end(log: ServerLog, unsent: tuple[str, ...]) -> None:
    """Say in the last line what was not delivered."""
    if not unsent:
        log.write("stopped")
        return
    shown = "; ".join(unsent[:_SHOWN]) + ("; ..." if unsent[_SHOWN:] else "")
    was = "was" if len(unsent) == 1 else "were"
    count = counted(len(unsent), "webhook")
    log.write(f"stopped; {count} {was} not delivered: {shown}", "warning")


def _print_environment(server: StandaloneSandbox, state: str) -> None:
    """Print what a client needs, as lines that can be pasted into a shell. All values are fakes."""
    variables = server.environment()
    if control_token():
        del variables[CONTROL_TOKEN]  # the user has set it
    say(f"# Turris sandbox at {server.base_url}; Ctrl-C stops it, {state}")
    say(f"# The page, for one browser, once: {server.page_address()}")
    click.echo(exports(variables), nl=False)  # a shell reads it: exactly our own values
    say(_webhook_hint(server.sandbox.options))
    say("# pytest --turris-url $TURRIS_BASE_URL runs tests whose sandboxes answer here")
    body = '{"clientId":"\'$TURRIS_CLIENT_ID\'","clientSecret":"\'$TURRIS_CLIENT_SECRET\'"}'
    certificate = " --cacert $SSL_CERT_FILE" if server.ca_file else ""
    say(
        f"# curl{certificate} $TURRIS_BASE_URL/v1/auth/jwt "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
    sys.stdout.flush()


def _open_page(address: str) -> None:
    """Open the page in the browser of the user, if there is one."""
    import webbrowser

    if not webbrowser.open(address):
        say("# --open: there is no browser here; open the address of the page", err=True)


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
