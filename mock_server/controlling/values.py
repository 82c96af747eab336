"""Turns the words of a command line into the JSON values of a control's parameters."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mock_server.shell.mistakes import fail
from pytest_turris.core.text.names import as_snake_case
from pytest_turris.process.reading.input_file import read_input
from pytest_turris.process.reading.user_documents import (
    DocumentError,
    json_of_user,
    json_or_text_of_user,
)

_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def read_value(parameter: Mapping[str, Any], text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a parameter; what is not of its type is left to the sandbox to refuse.

    Args:
        parameter: The parameter, as the row describes it.
        text: What the user typed. ``null`` becomes None; a list is JSON, or has commas; an object
            is JSON, or ``@`` and the path of a file with it.
    """
    kind = parameter["type"]
    if text == "null":
        return None
    if kind == "object" and text.startswith("@"):
        return _json_of_file(parameter["name"], text[1:])
    if kind == "object" or (parameter["many"] and text.startswith("[")):
        return _json(parameter["name"], text)
    if parameter["many"]:
        one = {**parameter, "many": False}
        return [read_value(one, part.strip()) for part in text.split(",")] if text else []
    if kind == "switch":
        return _SWITCH.get(text.lower(), text)
    return _number(text) if kind in ("whole number", "number") else text


def members_given(
    words: Iterable[str], parameters: Iterable[Mapping[str, Any]], free: str
) -> dict[str, Any]:
    """Return the members of ``member=value`` words.

    Args:
        words: The words.
        parameters: The parameters that are given in this way.
        free: The name of the parameter that has these members; empty if there is none.
    """
    # By either spelling: which ones a control takes is for the sandbox to say.
    known = {as_snake_case(one["name"]): one for one in parameters}
    members: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            fail(f"{word!r}: write it as member=value")
        if name in members:
            fail(f"{name!r} is given twice")
        # A member that the table does not know is sent as text: the sandbox names the nearest.
        one = known.get(as_snake_case(name))
        members[name] = read_value(one, text) if one else _free_value(name, text)
    return {free: members} if free and members else members


def check_text(name: str, value: object) -> None:
    """End the command if a value has what UTF-8 cannot write, such as a stray byte of the shell.

    Args:
        name: What the value was given for.
        value: JSON data.
    """
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        fail(f"{name}: it is not text in UTF-8")
    except RecursionError:
        fail(f"{name}: it is nested too deeply")


def _free_value(name: str, text: str) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON value of a text; digits stay a text, because an NPN consists of them."""
    try:
        value = json_or_text_of_user(text)
    except DocumentError as error:
        fail(f"{name}: {error}")
    return text if type(value) in (int, float) else value


def _number(text: str) -> Any:  # noqa: ANN401 - a number, or else the text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return text
    return value if abs(value) < float("inf") else text


def _json_of_file(name: str, path: str) -> Any:  # noqa: ANN401 - any JSON value
    if not path:
        fail(f"{name}: the path behind @ is empty; is a variable of the shell not set?")
    try:
        return _json(name, read_input(Path(path)))
    except OSError as error:
        fail(f"{name}: cannot read {path}: {error.strerror or error}")


def _json(name: str, document: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json_of_user(document)
    except DocumentError as error:
        fail(f"{name}: write it as JSON: {error}")
