"""The OpenAPI description in version 3.0, for generators that do not read 3.1.

OpenAPI 3.0 has an older JSON Schema: no type ``null``, no ``const``, no ``if``. Conditions between
the members of a body, which 3.1 describes with ``if`` and ``not``, are left out: generators of
clients do not check them, and several cannot read them.
"""

from typing import Any

_VERSION = "3.0.3"

_NULL = {"type": "null"}
_NEVER_EMPTY = frozenset({"allOf", "required"})
_CONDITIONS = frozenset({"if", "then", "else", "not"})


def as_version_30(document: dict[str, Any]) -> dict[str, Any]:
    """Return a 3.1 description as one of version 3.0.

    Args:
        document: The description, as JSON data. It is not changed.
    """
    converted: dict[str, Any] = _converted(document)
    return converted | {"openapi": _VERSION}


def _converted(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        return [_converted(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _member(name, item) for name, item in value.items() if name not in _CONDITIONS}
    if "const" in kept:
        kept["enum"] = [kept.pop("const")]
    if "anyOf" in kept:
        kept = _nullable(kept)
    if isinstance(kept.get("allOf"), list) and not all(kept["allOf"]):
        # The part had only a condition.
        kept["allOf"] = [part for part in kept["allOf"] if part]
    # 3.0 does not allow an empty list there.
    return {name: item for name, item in kept.items() if item != [] or name not in _NEVER_EMPTY}


def _member(name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    if name == "properties":  # its members have the names of data, not of a schema
        return {member: _converted(schema) for member, schema in value.items()}
    return _converted(value)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema whose choices include null, with the member ``nullable``."""
    choices = [one for one in schema["anyOf"] if one != _NULL]
    if len(choices) == len(schema["anyOf"]):
        return schema
    others = {name: item for name, item in schema.items() if name != "anyOf"}
    if len(choices) > 1:
        return others | {"anyOf": choices, "nullable": True}
    # 3.0 ignores members next to a reference.
    one = {"allOf": choices} if "$ref" in choices[0] else choices[0]
    return others | one | {"nullable": True}
