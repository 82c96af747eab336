"""``turris-sandbox openapi``."""

import json
from typing import Any

import click

from mock_server.shell.option_types import option_texts
from mock_server.shell.printing import say


@click.command()
@click.option(
    "--version",
    "version",
    type=click.Choice(["3.1", "3.0"]),
    default="3.1",
    show_default=True,
    help="The version of OpenAPI: many generators of clients read 3.0 alone.",
)
@click.option(
    "--control",
    is_flag=True,
    help="Describe the control API, which is the same for all options, in place of Turris' own: "
    "in OpenAPI 3.1 only.",
)
@option_texts
def openapi(*, version: str, control: bool, option: tuple[str, ...]) -> None:
    """Print the OpenAPI description of a sandbox with these options."""
    say(json.dumps(_described(version, option, control=control), indent=2))


def _described(version: str, option: tuple[str, ...], *, control: bool) -> dict[str, Any]:
    if control:
        if version != "3.1" or option:
            raise click.UsageError(
                "--control: it is described in 3.1 alone, without options: leave out --version 3.0 "
                "and --option"
            )
        from mock_server.control.openapi import control_document

        return control_document()
    from mock_server.shell.arguments import read_options
    from pytest_turris.core.api.openapi import document
    from pytest_turris.core.api.openapi_30 import as_version_30
    from pytest_turris.core.api.routes import operations_at

    options = read_options(option)
    operations = operations_at(options.webhooks_path)
    description = document(operations, options)
    return as_version_30(description) if version == "3.0" else description
