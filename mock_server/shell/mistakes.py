"""Mistakes in a command line: one line each, and exit status 2."""

from typing import NoReturn

import click

from mock_server.exit_status import NOTHING_SENT
from mock_server.shell.printing import say


def fail(message: str, status: int = NOTHING_SENT) -> NoReturn:
    """Print a mistake, and end the command.

    Args:
        message: What is wrong, and how to fix it.
        status: The exit status.
    """
    say(f"turris-sandbox: {message}", err=True)
    raise click.exceptions.Exit(status)
