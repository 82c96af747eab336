"""``turris-sandbox openapi``."""

import json

import click

from mock_server.shell.option_types import option_texts


@click.command()
@option_texts
def openapi(*, option: tuple[str, ...]) -> None:
    """Print the OpenAPI 3.1 description of a sandbox with these options."""
    from mock_server.shell.arguments import read_options
    from pytest_turris.core.api.openapi import document
    from pytest_turris.core.api.routes import operations_at

    options = read_options(option)
    operations = operations_at(options.webhooks_path)
    click.echo(json.dumps(document(operations, options), indent=2))
