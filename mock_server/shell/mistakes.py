"""Mistakes in a command line: one line each, and exit status 2."""

import re
from typing import NoReturn

import click

from mock_server.exit_status import NOTHING_SENT
from mock_server.shell.printing import say

_BREAK = re.compile(r"\s*\n\s*")


def fail(message: str, status: int = NOTHING_SENT) -> NoReturn:
    """Print a mistake, and end the command.

    Args:
        message: What is wrong, and how to fix it.
        status: The exit status.
    """
    say_mistake(message)
    raise click.exceptions.Exit(status)


def say_mistake(message: str) -> None:
    """Print a mistake as one line: click breaks some of its own over lines, with tabs."""
    say(f"turris-sandbox: {_BREAK.sub(' ', message)}", err=True)
