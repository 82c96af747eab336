"""Prints lists: as tables on a terminal, as whole lines everywhere else."""

import sys
from collections.abc import Iterable, Sequence

from mock_server.shell.printing import say_row


def is_terminal() -> bool:
    """Return whether people read standard output as it comes."""
    return sys.stdout.isatty()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows: as a table on a terminal, else one line each with tabs between the cells.

    Nothing is cut off: people search for ids, and programs read pipes.

    Args:
        columns: The headings.
        rows: The cells of each row, as text.
    """
    if not is_terminal():
        for cells in (columns, *rows):
            say_row(cells)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from pytest_turris.core.text.printable import printable, printable_lines

    table = Table()
    for name in columns:
        table.add_column(Text(printable(name)), overflow="fold")
    for cells in rows:
        table.add_row(*(Text(printable_lines(cell)) for cell in cells))
    Console().print(table)
