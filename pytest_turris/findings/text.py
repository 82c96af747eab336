"""How a verdict reads: a heading, then one labelled value per line."""

from collections.abc import Iterable

from pytest_turris.core.text.printable import printable

_WIDTH = 11
"""Columns of a label with its colon, so that all values begin below each other."""


def laid_out(heading: str, rows: Iterable[tuple[str, str]]) -> str:
    """The heading and, below it, each value after its label.

    What they have from elsewhere is safe for a terminal.

    Args:
        heading: The first line.
        rows: Labels with their values. Further lines of a value are indented to its first line;
            an empty value is left out.
    """
    lines = [printable(heading)]
    for name, value in rows:
        first, *others = map(printable, value.splitlines() or [""])
        if first or others:
            lines.append(f"  {name + ':':<{_WIDTH}}{first}".rstrip())
        lines += [f"  {'':<{_WIDTH}}{line}".rstrip() for line in others]
    return "\n".join(lines)
