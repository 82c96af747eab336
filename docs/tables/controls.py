"""The reference page of the control API, made from the table of controls."""

from itertools import groupby
from typing import Any

from mock_server.control.description import describe_all


def as_markdown() -> str:
    """A section for each noun, with a part for each control."""
    rows = sorted(describe_all(), key=lambda row: row["name"].partition(" ")[0])
    lines: list[str] = []
    for noun, group in groupby(rows, key=lambda row: row["name"].partition(" ")[0]):
        lines += [f"## {noun}", ""]
        for row in group:
            lines += _part(row)
    return "\n".join(lines)


def _part(row: dict[str, Any]) -> list[str]:
    lines = [f"### {row['name']}", "", row["summary"], ""]
    lines += [f"- HTTP: `{row['method']} /__sandbox__{row['path']}`, answers {row['status']}"]
    lines += [f"- Shell: `turris-sandbox {' '.join(row['words'])}{_arguments(row)}`"]
    lines += [_parameter(one) for one in row["parameters"]]
    if row["result"]:
        kind = "Each line has" if row["streams"] else "The answer has"
        lines += [f"- {kind} {', '.join(f'`{name}`' for name in row['result'])}"]
    if notes := _notes(row):
        lines += [f"- {notes}"]
    return [*lines, ""]


def _arguments(row: dict[str, Any]) -> str:
    """What follows the words of a command: what it takes by place, then ``member=value``."""
    places = "".join(f" {_place(one)}" for one in row["parameters"] if one["positional"])
    rest = " MEMBER=VALUE ..." if any(one["rest"] for one in row["parameters"]) else ""
    return places + rest


def _place(parameter: dict[str, Any]) -> str:
    name = parameter["option"].removeprefix("--").replace("-", "_").upper()
    return name if parameter["required"] else f"[{name}]"


def _parameter(one: dict[str, Any]) -> str:
    kind = f"list of {one['type']}" if one["many"] else one["type"]
    words = [f"in the {one['where']}", kind]
    if one["required"]:
        words.append("required")
    elif one["default"] not in (None, "", [], False):
        words.append(f"`{one['default']}` by default")
    if one["choices"]:
        words.append("one of " + ", ".join(f"`{choice}`" for choice in one["choices"]))
    helps = f". {one['help']}" if one["help"] else ""
    return f"- `{one['name']}`: {', '.join(words)}{helps}"


def _notes(row: dict[str, Any]) -> str:
    notes = [
        words
        for is_so, words in (
            (row["scope"] == "server", "It is about the server, and so has no tenant."),
            (row["issues"], "The answer shows a credential this once."),
            (row["sends"], "It sends to a receiver."),
            (row["judges"], "The command exits with 1 if what it judges does not hold."),
        )
        if is_so
    ]
    return " ".join(notes)
