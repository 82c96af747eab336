"""What each operation answers, member by member, for the reference page of the HTTP API."""

from collections.abc import Iterator
from typing import Any, get_args

from pytest_turris.core.api.operation import Operation
from pytest_turris.core.api.schemas import Schemas
from pytest_turris.core.options import Options
from pytest_turris.core.resources.record import WireModel

_SHOWN = 6

_HEAD = """## Shapes

The members of each answer. *JSON* is the name on the wire, *Python* the attribute of the record
that a test holds. A member that is not always there is left out if it has no value; with the option
`optional_fields="null"` it is `null`, unless the table says "never `null`": no sample has it, or a
page says that it is absent.
"""


def as_markdown(operations: tuple[Operation, ...]) -> str:
    """A table for each model that an answer contains, in alphabetical order."""
    schemas, models = Schemas(Options()), {}
    for operation in operations:
        if operation.answer is not None:
            schemas.of_answer(operation.answer)
            models |= {model.__name__: model for model in models_in(operation.answer)}
    tables = [_table(models[name], schemas.components[name]) for name in sorted(models)]
    return "\n".join([_HEAD, *tables])


def link(model: type[WireModel]) -> str:
    """A link to the table of a model."""
    return f"[`{model.__name__}`](#{model.__name__.lower()})"


def models_in(model: type[WireModel]) -> Iterator[type[WireModel]]:
    """A model, and those of its members that are sent."""
    yield model
    for member, field in model.model_fields.items():
        if member not in model.internal_fields:
            for part in _parts(field.annotation):
                yield from models_in(part)


def _parts(hint: object) -> Iterator[type[WireModel]]:
    if isinstance(hint, type) and issubclass(hint, WireModel):
        yield hint
    for inner in get_args(hint):
        yield from _parts(inner)


def _table(model: type[WireModel], schema: dict[str, Any]) -> str:
    lines = [
        f"### {model.__name__}",
        "",
        "| JSON | Python | Type | Always there |",
        "|---|---|---|---|",
    ]
    names = {
        field.serialization_alias or field.alias or member: member
        for member, field in model.model_fields.items()
    }
    for name, member in schema["properties"].items():
        always = "yes" if name in schema["required"] else "no"
        if names[name] in model.never_null:
            always = "no, never `null`"
        lines.append(f"| `{name}` | `{names[name]}` | {_type(member)} | {always} |")
    return "\n".join([*lines, ""])


def _type(schema: dict[str, Any]) -> str:
    """The type of a member, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[`{name}`](#{name.lower()})"
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        shown = " or ".join(f"`{value}`" for value in values[:_SHOWN])
        return f"{shown}, and {len(values) - _SHOWN} more" if len(values) > _SHOWN else shown
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return _word(schema)


def _word(schema: dict[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return "date and time"
    if schema.get("pattern", "").endswith("{24}$"):
        return "id"
    words = {"string": "text", "integer": "whole number", "null": "`null`"}
    kind = schema.get("type", "any JSON")
    return words.get(kind, kind)
