"""The options that several commands of ``turris-sandbox`` have."""

from pathlib import Path
from typing import Annotated

import typer

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

AllowedNames = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Another name by which clients reach the sandbox, for example that of a compose "
        "service. Can be repeated.",
    ),
]

Exposed = Annotated[
    bool,
    typer.Option(
        "--i-understand-network-exposure", help="Allow a --host that other machines can reach."
    ),
]

SecretEnv = Annotated[
    str, typer.Option(help="The environment variable that holds the signing key.")
]

Scheme = Annotated[
    str,
    typer.Option(
        help="Whose webhooks: turris, standard-webhooks, svix, stripe, github, slack or shopify."
    ),
]

PayloadFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A JSON object to send instead of events of Turris; {{id}} in it becomes a new id "
        "each time.",
    ),
]

Entity = Annotated[
    str,
    typer.Option(
        envvar="TURRIS_UPSTREAM_ENTITY_ID",
        help="The upstreamEntityId of the events, which the receiver takes for its own.",
    ),
]

HeaderLines = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        metavar="NAME:VALUE",
        help="A header line to add to each request, for example for a gateway. Can be repeated.",
    ),
]

HostName = Annotated[
    str, typer.Option(metavar="NAME", help="The value of Host; that of the URL by default.")
]

Timeout = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.1, help="How long to wait for one answer.")
]

ENTITY = "507f1f77bcf86cd799439010"
"""The ``upstreamEntityId`` of the documented examples, the default of all commands."""

TIMEOUT = 10.0
"""Seconds to wait for one answer by default: a third of what Turris does."""
