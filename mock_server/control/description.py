"""The table as plain data, for the shell and the reference page."""

from typing import Any

from mock_server.control.control import Control
from mock_server.control.table import CONTROLS

_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "switch"}


def describe_all() -> list[dict[str, Any]]:
    """All rows as JSON data."""
    return [describe(control) for control in CONTROLS.values()]


def describe(control: Control) -> dict[str, Any]:
    """A row as JSON data.

    ``parameters`` have these members: ``name``, as in JSON; ``option``, as in a shell; ``where``:
    ``path``, ``query`` or ``body``; ``type``: ``text``, ``whole number``, ``number``, ``switch``,
    ``moment``, ``duration`` or ``object``; ``many``, whether it is a list of these; ``choices``;
    ``required``; ``default``; ``help``; ``positional``, whether the shell takes it by its place;
    ``rest``, whether the shell takes it as ``member=value``.
    """
    schema = control.parameters.model_json_schema(by_alias=True)
    required = set(schema.get("required", ()))
    definitions = schema.get("$defs", {})
    parameters = [
        _parameter(control, name, member, definitions, is_required=name in required)
        for name, member in schema.get("properties", {}).items()
    ]
    return {
        "name": control.name,
        "words": list(control.words),
        "method": control.method,
        "path": control.path,
        "status": control.status,
        "summary": control.summary,
        "scope": control.scope,
        "changes": control.changes,
        "sends": control.sends,
        "streams": control.streams,
        "issues": control.issues,
        "judges": control.judges._asdict() if control.judges else None,
        "parameters": parameters,
        "result": _columns(control),
    }


def _parameter(
    control: Control,
    name: str,
    member: dict[str, Any],
    definitions: dict[str, Any],
    *,
    is_required: bool,
) -> dict[str, Any]:
    in_path = name in control.in_path
    kind, many, choices = _kind(member, definitions)
    where = "body" if control.has_body else "query"
    return {
        "name": name,
        "option": "--" + "".join(f"-{c.lower()}" if c.isupper() else c for c in name),
        "where": "path" if in_path else where,
        "type": kind,
        "many": many,
        "choices": choices,
        "required": is_required,
        "default": member.get("default"),
        "help": member.get("description", ""),
        "positional": in_path or name in control.positional,
        "rest": not in_path and control.rest in ("*", name),
    }


def _kind(member: dict[str, Any], definitions: dict[str, Any]) -> tuple[str, bool, list[Any]]:
    """The type of a member, whether it is a list, and the values that it can have."""
    variants = [one for one in member.get("anyOf", (member,)) if one.get("type") != "null"]
    if "x-kind" in member or "x-kind" in variants[0]:
        return "duration", False, []
    first = variants[0]
    if "$ref" in first:
        first = definitions[first["$ref"].rpartition("/")[2]]
    if first.get("type") == "array":
        kind, _, choices = _kind(first.get("items", {}), definitions)
        return kind, True, choices
    if first.get("format") == "date-time":
        return "moment", False, []
    choices = list(first.get("enum", [first["const"]] if "const" in first else ()))
    return _TYPES.get(first.get("type", ""), "object"), False, choices


def _columns(control: Control) -> list[str]:
    """The members of the result; of a list, those of its items."""
    if control.result is None:
        return []
    schema = control.result.model_json_schema(by_alias=True, mode="serialization")
    properties = schema.get("properties", {})
    if set(properties) == {"total", "items"}:
        item = properties["items"]["items"]["$ref"].rpartition("/")[2]
        properties = schema["$defs"][item].get("properties", {})
    return list(properties)
