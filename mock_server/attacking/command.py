"""``turris-sandbox attack``: reads its options, and returns its exit status."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mock_server.exit_status import exit_help
from mock_server.shell.completion.values import one_of
from mock_server.shell.option_types import (
    FILE,
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

if TYPE_CHECKING:
    from mock_server.attacking.watching import WatchSettings

_TOTAL_SECONDS = 600.0

_EXAMPLES = """\b
Examples:
  turris-sandbox attack http://127.0.0.1:3000/webhooks --profile full --json verdicts.json
  turris-sandbox attack http://127.0.0.1:3000/webhooks --start 'node receiver.js' \\
    --effects 'sqlite3 app.db "select * from agents"'
  turris-sandbox attack http://127.0.0.1:3000/stripe --scheme stripe --payload sample.json
"""


@click.command(epilog=f"{_EXAMPLES}\n{exit_help('attack')}")
@click.argument("url")
@secret_env
@click.option(
    "--profile",
    default="quick",
    show_default=True,
    shell_complete=one_of("profiles"),
    help="quick (the most important attacks) or full (all of them).",
)
@scheme
@payload_file
@entity
@click.option(
    "--event",
    multiple=True,
    shell_complete=one_of("events"),
    help="A webhookType that the receiver acts on; all four by default. Can be repeated.",
)
@click.option(
    "--only",
    metavar="ID",
    multiple=True,
    shell_complete=one_of("attacks"),
    help="An attack to run in place of those of the profile, such as WH-05. Can be repeated.",
)
@click.option(
    "--ignore",
    metavar="ID=REASON",
    multiple=True,
    shell_complete=one_of("attacks", after="="),
    help="An attack to skip, for example 'WH-70=the last one wins'. Can be repeated.",
)
@header_lines
@host_name
@timeout
@click.option(
    "--total-timeout",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    default=_TOTAL_SECONDS,
    show_default=True,
    help="The time for all attacks. After it, the remaining attacks are not tried.",
)
@click.option(
    "--effects",
    metavar="CMD",
    default="",
    help="Prints how much the receiver has done: a number, or what is stored, row by row.",
)
@click.option(
    "--effects-url",
    metavar="URL",
    default="",
    help="As --effects, for a URL of the receiver to GET.",
)
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=0.0,
    help="The receiver is done when nothing has changed for this long.",
)
@click.option(
    "--failing-work",
    metavar="CMD",
    default="",
    help="Makes the receiver's work fail: run with before, after, slow, and at the end none.",
)
@click.option(
    "--start",
    metavar="CMD",
    default="",
    help="Starts the receiver, which reads the key from its environment and listens on $PORT.",
)
@click.option(
    "--previous-secret-env",
    metavar="NAME",
    default="",
    help="With --start: the variable from which the receiver reads the key before.",
)
@click.option(
    "--log",
    type=FILE,
    metavar="FILE",
    help="The receiver's log; with --start its output by default.",
)
@click.option("--json", "json_file", type=FILE, help="A file to write the report to, redacted.")
@allowed
@signing_texts
def attack(**given: Any) -> None:  # noqa: ANN401 - the values of the options above
    """Attack a receiver with hostile webhooks, and print which of them succeed.

    URL is the receiver, for example http://127.0.0.1:3000/webhooks.
    """
    raise click.exceptions.Exit(_run(**given))


def _run(
    *,
    url: str,
    secret_env: str,
    profile: str,
    scheme: str,
    payload: Path | None,
    entity: str,
    event: tuple[str, ...],
    only: tuple[str, ...],
    ignore: tuple[str, ...],
    header: tuple[str, ...],
    host: str,
    timeout: float,
    total_timeout: float,
    json_file: Path | None,
    allow: tuple[str, ...],
    option: tuple[str, ...],
    **watching: Any,  # noqa: ANN401 - the fields of WatchSettings
) -> int:
    from mock_server.attacking.run import AttackSettings, run_attacks
    from mock_server.shell import arguments
    from pytest_turris.core.options import choices

    options = arguments.read_options(
        option,
        scheme=scheme,
        reads=arguments.OF_WEBHOOKS,
        webhook_secret=arguments.read_signing_key(secret_env),
        attack_profile=arguments.read_choice("--profile", profile, choices("attack_profile")),
    )
    lines = arguments.read_header_lines(header, options)
    factory = arguments.new_factory(options, entity=entity, lines=lines)
    settings = AttackSettings(
        url=url,
        target=arguments.read_target(url, host=host, allow=allow),
        factory=factory,
        payload=arguments.read_payload(payload, factory) if payload else None,
        options=options,
        events=arguments.read_events(event),
        only=arguments.read_attacks(only),
        ignored=arguments.read_ignored(ignore),
        lines=lines,
        timeout=timeout,
        total_timeout=total_timeout,
        allow=allow,
        json_file=arguments.read_place("--json", json_file),
        watch=_watch(secret_env, **watching),
    )
    return run_attacks(settings)


def _watch(secret_env: str, *, previous_secret_env: str, **watching: Any) -> "WatchSettings":  # noqa: ANN401 - as in _run
    from mock_server.attacking.watching import WatchSettings
    from mock_server.shell.arguments import say_useless, shown_variable
    from mock_server.shell.mistakes import fail

    if watching["effects"] and watching["effects_url"]:
        fail("--effects and --effects-url: give one of them")
    if previous_secret_env and not watching["start"]:
        shown = shown_variable(previous_secret_env)
        say_useless(f"--previous-secret-env {shown}", "it is for what --start starts")
    if (log := watching["log"]) and not log.exists():
        say_useless(f"--log {log}", "there is no such file; it is read if the receiver makes it")
    return WatchSettings(
        key_variable=secret_env, previous_key_variable=previous_secret_env, **watching
    )
