"""Prints text: all that a command writes goes through here, as much of it comes from elsewhere."""

from collections.abc import Iterable
from typing import Any

import click

from pytest_turris.core.text.printable import printable, printable_lines


def say(text: str, *, err: bool = False, nl: bool = True, **style: Any) -> None:  # noqa: ANN401 - as for click.secho
    """Print lines; nothing in them can change the terminal (see ``printable``).

    Args:
        text: One line or several.
        err: Whether it goes to standard error.
        nl: Whether a line break follows.
        **style: Colours, as for ``click.secho``.
    """
    click.secho(printable_lines(text), err=err, nl=nl, **style)


def say_row(cells: Iterable[str]) -> None:
    """Print a line of cells, with tabs between them and none in them."""
    click.echo("\t".join(printable(" ".join(cell.split())) for cell in cells))
