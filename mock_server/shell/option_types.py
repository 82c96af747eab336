"""The options that several commands of ``turris-sandbox`` have."""

import os
from pathlib import Path

import click

from mock_server.shell.completion.values import one_of, option_of
from pytest_turris.core.wire.hosts import is_host

ENTITY = "507f1f77bcf86cd799439010"
"""The ``upstreamEntityId`` of the documented examples; the default of all commands."""

TIMEOUT = 10.0
"""Seconds to wait for one answer by default: a third of what Turris does."""

WEBHOOK_SECRET = "TURRIS_WEBHOOK_SECRET"


class _GivenPath(click.Path):
    """A path that is not empty: an unset variable of the shell would otherwise mean a folder."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """The path."""
        if not os.fspath(value):
            self.fail("the path is empty; is a variable of the shell not set?", param, ctx)
        return super().convert(value, param, ctx)


FILE = _GivenPath(path_type=Path)
FILE_OR_URL = _GivenPath(path_type=str)

_HIGHEST_PORT = 65_535

option_texts = click.option(
    "--option",
    "-o",
    "option",
    metavar="NAME=VALUE",
    multiple=True,
    shell_complete=option_of("options"),
    help="An option of the sandbox, for example token_ttl=60. Can be repeated.",
)

signing_texts = click.option(
    "--option",
    "-o",
    "option",
    metavar="NAME=VALUE",
    multiple=True,
    shell_complete=option_of("webhook_options"),
    help="An option of webhooks, for example signature_encoding=base64. Can be repeated.",
)


def _checked_pairs(
    _ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    for text in values:
        host, _, port = text.rpartition(":")
        if not (is_host(host) and _is_port(port)):
            raise click.BadParameter(
                f"{text!r} is not HOST:PORT, such as app:3000 or [::1]:3000, with a port from 1 to "
                f"{_HIGHEST_PORT} and without wildcards"
            )
    return values


def _is_port(text: str) -> bool:
    """Whether a text is a port as a URL has it: a leading zero would match none."""
    is_number = text.isascii() and text.isdecimal() and not text.startswith("0")
    return is_number and len(text) <= len(str(_HIGHEST_PORT)) and int(text) <= _HIGHEST_PORT


allowed = click.option(
    "--allow",
    metavar="HOST:PORT",
    multiple=True,
    callback=_checked_pairs,
    help="Another machine that webhooks may be sent to. Can be repeated.",
)

secret_env = click.option(
    "--secret-env",
    metavar="NAME",
    default=WEBHOOK_SECRET,
    show_default=True,
    help="The environment variable that holds the signing key.",
)

scheme = click.option(
    "--scheme",
    default="turris",
    show_default=True,
    shell_complete=one_of("schemes"),
    help="The scheme: turris, standard-webhooks, svix, stripe, github, slack or shopify.",
)

payload_file = click.option(
    "--payload",
    type=FILE,
    metavar="FILE",
    help="A JSON object to send instead of events of Turris; {{id}} in it becomes a new id each "
    "time.",
)

entity = click.option(
    "--entity",
    default=ENTITY,
    show_default=True,
    envvar="TURRIS_UPSTREAM_ENTITY_ID",
    show_envvar=True,
    help="The upstreamEntityId of the events, which the receiver takes for its own.",
)

header_lines = click.option(
    "--header",
    metavar="NAME:VALUE",
    multiple=True,
    help="A header line to add to each request, for example for a gateway. Can be repeated.",
)

host_name = click.option(
    "--host",
    metavar="NAME",
    default="",
    help="The value of Host; that of the URL by default.",
)

timeout = click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    default=TIMEOUT,
    show_default=True,
    help="How long to wait for one answer.",
)
