"""``turris-sandbox attack``: reads its options, and returns its exit status."""

from pathlib import Path
from typing import Annotated

import typer

from mock_server.shell.arguments import (
    fail,
    new_factory,
    read_choice,
    read_header_lines,
    read_ignored,
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
from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.options import choices

_TOTAL_SECONDS = 600.0

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
    Path | None, typer.Option("--json", help="A file to write the report to, redacted.")
]
TotalTimeout = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=1, help="The time for all attacks; then the rest is left."),
]
Effects = Annotated[
    str,
    typer.Option(
        metavar="CMD",
        help="Prints how much the receiver has done: a number, or what is stored, row by row.",
    ),
]
EffectsUrl = Annotated[
    str, typer.Option(metavar="URL", help="As --effects, for a URL of the receiver to GET.")
]
Settle = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=0, help="The receiver is done when nothing changed for so long."
    ),
]
FailingWork = Annotated[
    str,
    typer.Option(
        metavar="CMD",
        help="Makes the receiver's work fail: run with before, after, slow, and at the end none.",
    ),
]
Start = Annotated[
    str,
    typer.Option(
        metavar="CMD",
        help="Starts the receiver, which reads the key from its environment and listens on $PORT.",
    ),
]
PreviousSecretEnv = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="With --start: the variable from which the receiver reads the key before.",
    ),
]
LogFile = Annotated[
    Path | None,
    typer.Option(
        "--log", metavar="FILE", help="The receiver's log; with --start its output by default."
    ),
]


def attack(
    url: Annotated[
        str, typer.Argument(help="The receiver, for example http://127.0.0.1:3000/webhooks.")
    ],
    secret_env: SecretEnv = "TURRIS_WEBHOOK_SECRET",
    profile: Annotated[
        str, typer.Option(help="quick (the most important attacks) or full (all of them).")
    ] = "quick",
    scheme: Scheme = "turris",
    payload: PayloadFile = None,
    entity: Entity = ENTITY,
    event: EventOption = None,
    ignore: Ignored = None,
    header: HeaderLines = None,
    host: HostName = "",
    timeout: Timeout = TIMEOUT,
    total_timeout: TotalTimeout = _TOTAL_SECONDS,
    effects: Effects = "",
    effects_url: EffectsUrl = "",
    settle: Settle = 0.0,
    failing_work: FailingWork = "",
    start: Start = "",
    previous_secret_env: PreviousSecretEnv = "",
    log: LogFile = None,
    json_file: JsonFile = None,
    allow: Allowed = None,
    option: OptionTexts = None,
) -> None:
    """Attack a receiver with hostile webhooks, and print what it does not withstand."""
    from mock_server.attacking.run import AttackSettings, run
    from mock_server.attacking.watching import WatchSettings

    if effects and effects_url:
        fail("--effects and --effects-url: give one of them")
    options = read_options(
        option,
        scheme=scheme,
        webhook_secret=read_signing_key(secret_env),
        attack_profile=read_choice("--profile", profile, choices("attack_profile")),
    )
    lines = read_header_lines(header, options)
    factory = new_factory(options, entity=entity, lines=lines)
    settings = AttackSettings(
        url=url,
        target=read_target(url, host=host, allow=allow or ()),
        factory=factory,
        payload=read_payload(payload, factory) if payload else None,
        options=options,
        events=tuple(read_choice("--event", name, EVENTS) for name in event or ()),
        ignored=read_ignored(ignore),
        lines=lines,
        timeout=timeout,
        total_timeout=total_timeout,
        allow=tuple(allow or ()),
        json_file=json_file,
        watch=WatchSettings(
            effects=effects,
            effects_url=effects_url,
            settle=settle,
            failing_work=failing_work,
            start=start,
            key_variable=secret_env,
            previous_key_variable=previous_secret_env,
            log=log,
        ),
    )
    raise typer.Exit(run(settings))
