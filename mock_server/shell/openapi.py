"""``turris-sandbox openapi``."""

import json

import click

from mock_server.shell.option_types import option_texts


@click.command()
@click.option(
    "--version",
    "version",
    type=click.Choice(["3.1", "3.0"]),
    default="3.1",
    show_default=True,
    help="The version of OpenAPI: many generators of clients read 3.0 alone.",
)
@option_texts
def openapi(*, version: str, option: tuple[str, ...]) -> None:
    """Print the OpenAPI description of a sandbox with these options."""
    from mock_server.shell.arguments import read_options
    from pytest_turris.core.api.openapi import document
    from pytest_turris.core.api.openapi_30 import as_version_30
    from pytest_turris.core.api.routes import operations_at

    options = read_options(option)
    operations = operations_at(options.webhooks_path)
    description = document(operations, options)
    if version == "3.0":
        description = as_version_30(description)
    click.echo(json.dumps(description, indent=2))
