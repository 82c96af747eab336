"""Reads the parameters of a control strictly: no unknown, repeated or misspelt member."""

import json
import types
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any, Union, get_args, get_origin
from urllib.parse import parse_qsl, unquote

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from mock_server.control.control import Control
from mock_server.control.models import Parameters
from mock_server.control.wire.errors import ControlError, Problem
from mock_server.control.wire.expected import expected
from pytest_turris.core.text.names import nearest

_MOST_PARAMETERS = 200
_MOST_PROBLEMS = 20
_LONGEST_LIST = 200
_SHOWN = 3
"""How many names of a long list are shown."""


def validated(control: Control, document: Mapping[str, Any], *, texts: bool = False) -> Parameters:
    """The parameters of a control.

    Args:
        control: The control.
        document: Its members, by their names in JSON.
        texts: Whether the values are text, as in a query.

    Raises:
        ControlError: A member is unknown or missing, or its value does not fit.
    """
    model = control.parameters
    document = _named_as_in_json(model, document)
    if problems := tuple(islice(_unknown(model, document), _MOST_PROBLEMS)):
        raise ControlError(400, problems=problems)
    try:
        if texts:
            return model.model_validate(document)
        return model.model_validate_json(to_json(document), strict=True)
    except ValidationError as error:
        rows = error.errors(include_url=False)[:_MOST_PROBLEMS]
        raise ControlError(400, problems=_distinct(rows)) from None


def read_json(body: bytes) -> dict[str, Any]:
    """The members of a JSON object. An empty body has none.

    Raises:
        ControlError: It is not JSON or not an object, or a member is repeated.
    """
    if not body.strip():
        return {}
    try:
        # This parser limits depth and numbers; the other one finds repeated members.
        from_json(body, allow_inf_nan=False)
        document = json.loads(body, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError):
        raise ControlError(400, "the body is not JSON in UTF-8, or is nested too deeply") from None
    if not isinstance(document, dict):
        raise ControlError(400, "the body is not a JSON object")
    return document


def query_of(query: str) -> dict[str, Any]:
    """The parameters of a query.

    Args:
        query: As it was sent.

    Raises:
        ControlError: A parameter is repeated, or there are too many.
    """
    try:
        pairs = parse_qsl(
            query,
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:
        raise ControlError(400, "the query is not UTF-8, or has too many parameters") from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ControlError(400, problems=(Problem(name, "one value"),))
        found[name] = value
    return found


def read_segment(text: str) -> str:
    """One segment of a path.

    Raises:
        ControlError: It is not percent-encoded UTF-8.
    """
    try:
        return unquote(text, errors="strict")
    except ValueError:
        raise ControlError(400, "the path is not percent-encoded UTF-8") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((doubled, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ControlError(400, problems=(Problem(doubled, "the member once"),))
    return found


def _named_as_in_json(
    model: type[BaseModel], document: Mapping[str, Any], at: str = ""
) -> dict[str, Any]:
    """The same members by their names in JSON: some models take the names of Python, too.

    Raises:
        ControlError: A member is given by both names.
    """
    takes_both = issubclass(model, Parameters) and model.takes_snake_case
    named: dict[str, Any] = {}
    for given, value in document.items():
        field = model.model_fields.get(given) if takes_both else None
        name = (field and field.alias) or given
        if name in named:
            raise ControlError(400, problems=(Problem(f"{at}{name}", "one spelling, not both"),))
        named[name] = value
    for field in model.model_fields.values():
        name, kind = field.alias or "", field.annotation
        if isinstance(kind, type) and issubclass(kind, Parameters) and _is_object(named.get(name)):
            named[name] = _named_as_in_json(kind, named[name], f"{at}{name}.")
    return named


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _unknown(
    model: type[BaseModel], document: Mapping[str, Any], at: str = ""
) -> Iterator[Problem]:
    """The members that a model does not have, at any depth."""
    known = {member.alias or name: member for name, member in model.model_fields.items()}
    for name, value in document.items():
        path = f"{at}.{name}".removeprefix(".")
        if name not in known:
            yield Problem(path, _expected(model, known), nearest(name, known))
            continue
        for kind in _kinds(known[name].annotation):
            yield from _unknown_in(kind, value, path)


def _expected(model: type[BaseModel], known: Collection[str]) -> str:
    """What is expected in place of a member that a model does not have."""
    names = ", ".join(known) or "none"
    if len(names) < _LONGEST_LIST:
        return f"one of the members {names}"
    words = model.members_in_words if issubclass(model, Parameters) else ""
    return words or f"one of {len(known)} members, such as {', '.join(islice(known, _SHOWN))}"


def _unknown_in(kind: Any, value: object, path: str) -> Iterator[Problem]:  # noqa: ANN401 - a hint
    if isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(value, dict):
        yield from _unknown(kind, value, path)
    elif get_origin(kind) in (list, tuple) and isinstance(value, list):
        for place, one in enumerate(value):
            for inner in _kinds(get_args(kind)[0]):
                yield from _unknown_in(inner, one, f"{path}[{place}]")


def _kinds(hint: Any) -> Iterator[Any]:  # noqa: ANN401 - a hint
    """A type hint, or those of a union."""
    if get_origin(hint) in (Union, types.UnionType):
        for one in get_args(hint):
            yield from _kinds(one)
    else:
        yield hint


def _distinct(rows: list[ErrorDetails]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(map(_problem, rows)))


def _problem(row: ErrorDetails) -> Problem:
    field = "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in row["loc"])
    return Problem(field.removeprefix("."), *expected(row))
