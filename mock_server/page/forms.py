"""Forms that are made from the models of the controls, and what a browser sends.

Values are text on the page, and become JSON here. Only a text that cannot become JSON is refused
here. The control refuses the rest, and its problems are shown at their fields.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from mock_server.control.control import Control
from mock_server.control.description import describe
from mock_server.control.table import CONTROLS
from mock_server.control.wire.errors import ControlError, Problem

WAS = "was."
"""The prefix of a field that has the earlier value."""

_NO_ZONE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?")
_TOP = re.compile(r"[^.\[]+")


@dataclass(frozen=True, kw_only=True)
class FormField:
    """One field of a form.

    ``input`` is how it is entered: ``text``, ``number``, ``choice``, ``area`` or ``hidden``;
    ``kind`` is what it becomes, as ``describe`` names it.
    """

    name: str
    kind: str
    many: bool
    input: str
    choices: tuple[str, ...]
    required: bool
    default: str
    help: str
    value: str = ""
    error: str = ""
    in_path: bool = field(default=False, repr=False)


@cache
def fields_of(control: Control) -> tuple[FormField, ...]:
    """The empty fields of a control's form."""
    return tuple(map(_field, describe(control)["parameters"]))


def control_named(name: str) -> Control:
    """The control of a name.

    Raises:
        ControlError: There is none.
    """
    if name not in CONTROLS:
        raise ControlError(404, "There is no such control.")
    return CONTROLS[name]


def filled_fields(
    control: Control, values: Mapping[str, str], problems: tuple[Problem, ...] = ()
) -> tuple[FormField, ...]:
    """The fields with their values, and with what is wrong at each."""
    errors: dict[str, list[str]] = {}
    for problem in problems:
        top = _TOP.match(problem.field)
        hint = f"; did you mean {problem.nearest!r}?" if problem.nearest else ""
        errors.setdefault(top[0] if top else "", []).append(f"Expected {problem.expected}{hint}")
    return tuple(
        replace(
            one, value=values.get(one.name, one.value), error="; ".join(errors.get(one.name, ()))
        )
        for one in fields_of(control)
    )


def elsewhere(control: Control, error: ControlError) -> tuple[str, ...]:
    """Return what is wrong with none of the fields."""
    names = {one.name for one in fields_of(control)}
    shown = {
        str(problem)
        for problem in error.problems
        if (top := _TOP.match(problem.field)) and top[0] in names
    }
    return tuple(message for message in error.messages if message not in shown)


def form_given(control: Control, form: Mapping[str, str]) -> dict[str, Any]:
    """Return the document that a form represents. A field that is empty or unchanged is left out.

    Raises:
        ControlError: A value has no JSON.
    """
    document: dict[str, Any] = {}
    problems: list[Problem] = []
    for one in fields_of(control):
        text = form.get(one.name, "")
        before = form.get(f"{WAS}{one.name}")
        if before is not None and _same(text, before):
            continue
        if not text.strip():
            if before is not None:
                document[one.name] = None
            continue
        try:
            document[one.name] = _value_of(one, text)
        except ControlError as error:
            problems += error.problems
    if problems:
        raise ControlError(400, problems=tuple(problems))
    return document


def _value_of(one: FormField, text: str) -> Any:  # noqa: ANN401 - JSON data
    """The JSON of a text.

    Raises:
        ControlError: It has none.
    """
    if one.many and one.kind != "object":
        lines = [line.strip() for line in text.replace(",", "\n").splitlines() if line.strip()]
        return [_single(one.kind, line) for line in lines]
    if one.many or one.kind == "object":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ControlError(400, problems=(Problem(one.name, "JSON"),)) from None
    return _single(one.kind, text)


def text_of(value: Any) -> str:  # noqa: ANN401 - JSON data
    """The text that a value has in a form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "\n".join(value)
    if isinstance(value, list | dict):
        return json.dumps(value, indent=1, ensure_ascii=False)
    return str(value)


def _single(kind: str, text: str) -> Any:  # noqa: ANN401 - JSON data
    text = text if kind == "text" else text.strip()
    if kind == "switch":
        return {"true": True, "false": False}.get(text, text)
    if kind in ("whole number", "number"):
        try:
            return int(text) if kind == "whole number" else float(text)
        except ValueError:
            return text  # the control says what it expects
    if kind == "moment" and _NO_ZONE.fullmatch(text):
        return f"{text}Z"
    return text


def _same(text: str, before: str) -> bool:
    """Compare two texts whose line ends may differ, as browsers change them."""
    return text.replace("\r\n", "\n") == before.replace("\r\n", "\n")


def _field(parameter: dict[str, Any]) -> FormField:
    kind, many = parameter["type"], parameter["many"]
    choices = tuple(map(str, parameter["choices"]))
    if kind == "switch" and not many:
        choices = ("true", "false")
    shape = "text"
    if many or kind == "object":
        shape = "area"
    elif choices:
        shape = "choice"
    elif kind in ("whole number", "number"):
        shape = "number"
    return FormField(
        name=parameter["name"],
        kind=kind,
        many=many,
        input=shape,
        choices=choices,
        required=parameter["required"],
        default=text_of(parameter["default"]),
        help=parameter["help"],
        in_path=parameter["where"] == "path",
    )
