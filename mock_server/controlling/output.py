"""Prints the answer to a control: a table on a terminal, JSON everywhere else."""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mock_server.shell import tables
from mock_server.shell.printing import say
from pytest_turris.core.text.printable import printable, printable_lines

_FRAME = 3
"""Characters around the text of a cell."""

_FEWEST = 3
"""Columns that are always shown; on a narrow terminal their text is folded."""


def show(answer: Any, *, as_json: bool) -> None:  # noqa: ANN401 - any JSON value
    """Print an answer.

    Args:
        answer: The answer; None if it has no content.
        as_json: Whether to print JSON on a terminal, too.
    """
    if as_json or not tables.is_terminal():
        if answer is not None:
            say(json.dumps(answer, indent=2))
    elif answer is None:
        say("done")
    elif isinstance(answer, dict) and set(answer) == {"total", "items"}:
        _show_list(answer)
    elif isinstance(answer, dict):
        tables.print_table(
            ("Member", "Value"), [(name, _cell(text)) for name, text in _flat(answer)]
        )
    else:
        say(json.dumps(answer, indent=2))


def show_lines(lines: Iterable[Any], *, as_json: bool) -> None:
    """Print each object of a stream as it comes: one line each."""
    for line in lines:
        text = json.dumps(line) if as_json or not tables.is_terminal() else _words(line)
        say(text)


def _show_list(answer: Mapping[str, Any]) -> None:
    items = [dict(_flat(item)) for item in answer["items"]]
    columns = _fitting(items)
    if columns:
        tables.print_table(columns, [[_cell(item.get(name)) for name in columns] for item in items])
    say(f"{len(items)} of {answer['total']}; --json shows all members", err=True)


def _fitting(items: list[dict[str, Any]]) -> list[str]:
    """Return the first columns that a terminal has room for, without empty ones and lists."""
    room, chosen = shutil.get_terminal_size().columns, list[str]()
    for name in dict.fromkeys(name for item in items for name in item):
        values = [item.get(name) for item in items]
        if all(value in (None, "", False) for value in values) or any(
            isinstance(value, list | dict) for value in values
        ):
            continue
        room -= max(len(name), *(len(_cell(value)) for value in values)) + _FRAME
        if room < 0 and len(chosen) >= _FEWEST:
            break
        chosen.append(name)
    return chosen


def _flat(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The members of an object and of the objects in it, such as ``agent.npn``."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", text) for inner, text in value.items())
        else:
            yield name, value


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return printable_lines(value) if isinstance(value, str) else json.dumps(value)


def _words(line: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a line of a stream for people: its values, without empty ones."""
    if not isinstance(line, dict):
        return printable(str(line))
    return "  ".join(
        printable(_cell(value)) for value in line.values() if value not in (None, "", [], {}, False)
    )
