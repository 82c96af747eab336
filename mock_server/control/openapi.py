"""The table as an OpenAPI 3.1 document: ``turris-sandbox openapi --control``."""

from importlib.metadata import version
from typing import Any

from pydantic.json_schema import JsonSchemaMode

from mock_server.control.control import Control
from mock_server.control.table import CONTROLS

_REFERENCE = "#/components/schemas/{model}"
_JSON = "application/json"
_STREAMS = ("application/x-ndjson", "text/event-stream")
_ABOUT = """\
Controls a sandbox over HTTP. Every path is below `/__sandbox__` of a running server,
and takes the control token that `turris-sandbox serve` prints. The operations of one sandbox
control the server's own; for a tenant they are at the same paths below `/__sandbox__/tenants/NAME`.
"""
_REFUSAL: dict[str, Any] = {
    "type": "object",
    "required": ["statusCode", "errorType", "errorMessage"],
    "properties": {
        "statusCode": {"type": "integer"},
        "errorType": {"type": "string"},
        "errorMessage": {"type": "array", "items": {"type": "string"}},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "expected"],
                "properties": {
                    "field": {"type": "string"},
                    "expected": {"type": "string"},
                    "nearest": {"type": "string"},
                },
            },
        },
    },
}


def control_document(base_url: str = "http://127.0.0.1:8791") -> dict[str, Any]:
    """Return the description of every control.

    Args:
        base_url: The address of the server.
    """
    schemas: dict[str, Any] = {"Refusal": _REFUSAL}
    paths: dict[str, Any] = {}
    for row in CONTROLS.values():
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Control API of the Turris sandbox",
            "version": version("pytest-turris"),
            "description": _ABOUT,
        },
        "servers": [{"url": f"{base_url}/__sandbox__"}],
        "security": [{"controlToken": []}],
        "tags": [{"name": noun} for noun in dict.fromkeys(row.noun for row in CONTROLS.values())],
        "paths": paths,
        "components": {
            "securitySchemes": {"controlToken": {"type": "http", "scheme": "bearer"}},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _operation(row: Control, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = _schema(row.parameters, "validation", schemas)
    members, required = schema.get("properties", {}), schema.get("required", [])
    outside = {name: member for name, member in members.items() if name not in row.in_path}
    in_query = {} if row.has_body else outside
    operation: dict[str, Any] = {
        "operationId": row.operation_id,
        "tags": [row.noun],
        "summary": row.summary,
        "parameters": [
            *(_parameter("path", name, members[name], is_required=True) for name in row.in_path),
            *(
                _parameter("query", name, member, is_required=name in required)
                for name, member in in_query.items()
            ),
        ],
        "responses": {
            str(row.status): _success(row, schemas),
            "4XX": {"description": "Refused: nothing was changed.", "content": _as_json("Refusal")},
            "503": {
                "description": "The store failed: the outcome is unknown.",
                "content": _as_json("Refusal"),
            },
        },
    }
    if row.has_body and outside:
        needed = [name for name in required if name in outside]
        kept = {key: value for key, value in schema.items() if key not in ("required", "title")}
        body = kept | {"properties": outside} | ({"required": needed} if needed else {})
        operation["requestBody"] = {"required": bool(needed), "content": {_JSON: {"schema": body}}}
    return operation


def _schema(model: Any, mode: JsonSchemaMode, schemas: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a model
    """The schema of a model; what it refers to goes to the shared ones."""
    made = model.model_json_schema(by_alias=True, mode=mode, ref_template=_REFERENCE)
    schema: dict[str, Any] = _adapted(made)
    schemas.update(schema.pop("$defs", {}))
    return schema


def _adapted(node: Any) -> Any:  # noqa: ANN401 - as deep as a schema
    """Write a schema as generators of clients read it.

    A default of null means that a member is left out, and few schemas allow null: it is removed.
    Names with a pattern are described by ``propertyNames``, and their values by
    ``additionalProperties``: of ``patternProperties``, generators make an object without members.
    """
    if isinstance(node, list):
        return [_adapted(one) for one in node]
    if not isinstance(node, dict):
        return node
    adapted = {
        name: _adapted(value)
        for name, value in node.items()
        if not (name == "default" and value is None)
    }
    if len(patterns := adapted.get("patternProperties", {})) == 1:
        del adapted["patternProperties"]
        ((pattern, values),) = patterns.items()
        names = adapted.get("propertyNames", {}) | {"pattern": pattern}
        adapted |= {"propertyNames": names, "additionalProperties": values}
    return adapted


def _parameter(
    where: str, name: str, member: dict[str, Any], *, is_required: bool
) -> dict[str, Any]:
    words = {"description": member["description"]} if "description" in member else {}
    schema = {key: value for key, value in member.items() if key != "description"}
    return {"name": name, "in": where, "required": is_required, **words, "schema": schema}


def _success(row: Control, schemas: dict[str, Any]) -> dict[str, Any]:
    if row.result is None:
        return {"description": "Done."}
    schema = _schema(row.result, "serialization", schemas)
    kinds = _STREAMS if row.streams else (_JSON,)
    words = "One line for each, until the client hangs up." if row.streams else "The result."
    return {"description": words, "content": {kind: {"schema": schema} for kind in kinds}}


def _as_json(name: str) -> dict[str, Any]:
    return {_JSON: {"schema": {"$ref": _REFERENCE.format(model=name)}}}
