"""The OpenAPI 3.1 description of the API, made from the route table and its models.

Each operation says how it is known, in ``x-fidelity``. What it answers with depends on the
options, so the description does too.
"""

from collections.abc import Iterable
from typing import Any, get_args

from pytest_turris.core.api.call import Operation
from pytest_turris.core.options import Options
from pytest_turris.core.resources.collection import WireModel
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.core.wire.model import RequestModel

REASONS = {
    400: "Invalid input",
    401: "Invalid or missing auth token",
    403: "Insufficient permissions",
    404: "Not found",
    410: "Gone: after the sunset date",
    413: "The body is too large",
    422: "The idempotency key was used with another body",
    429: "Rate limit exceeded",
}
FILE_TYPES = {"upload_document": "application/pdf", "upload_policy_file": "text/csv"}
PATH = "/__sandbox__/openapi.json"

_LINKS = {
    "create_agent": (("get_agent", "agentId", "agent/_id"), ("sync_agent", "agentId", "agent/_id")),
    "add_association": (("get_association", "downstreamEntityAssociationId", "_id"),),
    "dangerously_add": (("list_licenses", "downstreamEntityAssociationId", "_id"),),
    "register_webhook": (
        ("get_webhook", "webhookId", "_id"),
        ("list_webhook_deliveries", "webhookId", "_id"),
        ("test_webhook", "webhookId", "_id"),
        ("delete_webhook", "webhookId", "_id"),
    ),
    "upload_policy_file": (("get_upload_status", "uploadId", "uploadId"),),
}
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "public": [],
    "oauth": [{"accessToken": []}],
    "restricted": [{"restrictedAccessToken": []}],
    "any": [{"accessToken": []}, {"restrictedAccessToken": []}],
}
_ERROR = {
    "type": "object",
    "required": ["statusCode", "requestId", "errorType", "errorMessage", "timestamp"],
    "properties": {
        "statusCode": {"type": "integer"},
        "requestId": {"type": "string"},
        "errorType": {"type": "string"},
        "errorMessage": {"type": "array", "items": {"type": "string"}},
        "timestamp": {"type": "string", "format": "date-time"},
    },
}
_MADE_UP = {
    "requestId": {"type": "string", "description": "Unique request identifier"},
    "timestamp": {"type": "string", "format": "date-time", "description": "Response timestamp"},
    "statusCode": {"type": "integer"},
}
_ENVELOPES = {
    "data": ("requestId", "timestamp"),
    "data_with_status": ("requestId", "statusCode", "timestamp"),
    "status_without_request_id": ("statusCode", "timestamp"),
}


def document(operations: Iterable[Operation], options: Options) -> dict[str, Any]:
    """The description of these operations, as JSON data."""
    schemas: dict[str, Any] = {"ErrorResponseDto": _ERROR}
    paths: dict[str, Any] = {}
    rows = tuple(operations)
    for operation in rows:
        described = _operation(operation, rows, options, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Turris Public API",
            "version": "1.0.0",
            "description": "What the pytest-turris sandbox answers; not made by the vendor.",
        },
        "servers": [{"url": f"https://{host}"} for host in HOSTS.values()],
        "tags": [{"name": tag} for tag in dict.fromkeys(row.tag for row in rows)],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "restrictedAccessToken": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-restricted-access-token",
                },
            },
        },
    }


def _operation(
    operation: Operation,
    operations: tuple[Operation, ...],
    options: Options,
    schemas: dict[str, Any],
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": _SECURITY[operation.access],
        "parameters": _parameters(operation),
        "responses": _responses(operation, options, schemas),
        "x-fidelity": fidelity_of(operation),
    }
    if operation.deprecated:
        described["deprecated"] = True
    if (sent := operation.body or operation.form) is not None:
        schemas[sent.__name__] = _incoming(sent, options, schemas)
        media: dict[str, Any] = {"schema": _ref(sent.__name__)}
        if operation.name in FILE_TYPES:
            media["encoding"] = {"file": {"contentType": FILE_TYPES[operation.name]}}
        kind = "multipart/form-data" if operation.form else "application/json"
        described["requestBody"] = {"required": True, "content": {kind: media}}
    links = _links(operation, operations, options)
    if links:
        described["responses"][str(operation.status)]["links"] = links
    return described


def fidelity_of(operation: Operation) -> dict[str, str]:
    """How an operation, its id and its success status are known, and from which page."""
    known = {
        "operation": operation.provenance,
        "operationId": "documented" if operation.operation_id_documented else "assumed",
        "status": operation.status_provenance,
    }
    return known | ({"source": operation.page} if operation.page else {})


def query_parameters(model: type[RequestModel]) -> list[tuple[str, bool, dict[str, Any]]]:
    """The query parameters of a model: name, whether it is required, and schema."""
    schema = model.model_json_schema(by_alias=True)
    required = schema.get("required", [])
    return [
        (name, name in required, _without_null(member))
        for name, member in schema["properties"].items()
    ]


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in operation.parameters
    ]
    if operation.query is not None:
        found += [
            {"name": name, "in": "query", "required": required, "schema": schema}
            for name, required, schema in query_parameters(operation.query)
        ]
    if operation.idempotent:
        found += [
            {
                "name": name,
                "in": "header",
                "required": False,
                "schema": {"type": "string", "format": "uuid"},
            }
            for name in ("idempotency-key", "x-idempotency-key")
        ]
    return found


def _responses(operation: Operation, options: Options, schemas: dict[str, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": operation.summary}
    schema = _success_schema(operation, options, schemas)
    if schema is not None:
        success["content"] = {"application/json": {"schema": schema}}
    headers = _headers(operation)
    error = {"application/json": {"schema": _ref("ErrorResponseDto")}}
    refusals = {
        str(status): {"description": REASONS[status], "content": error}
        for status in operation.refusals
        if status != _GONE or options.sunset == "gone"
    }
    return {str(operation.status): success | ({"headers": headers} if headers else {})} | refusals


_GONE = 410


def _headers(operation: Operation) -> dict[str, Any]:
    names = []
    if operation.limited or operation.name == "get_oauth_token":
        names += ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
    found: dict[str, Any] = {name: {"schema": {"type": "integer"}} for name in names}
    if operation.deprecated:
        found |= {
            name: {"schema": {"type": "string"}, "required": True}
            for name in ("Deprecation", "Sunset", "Link")
        }
    return found


def _success_schema(
    operation: Operation, options: Options, schemas: dict[str, Any]
) -> dict[str, Any] | None:
    if operation.answer is None:
        return {"type": "object"} if operation.method == "GET" else None
    name = _answer(operation.answer, options, schemas)
    data: dict[str, Any] = _ref(name)
    if operation.many:
        data = {"type": "array", "items": data}
    bare = operation.name == "get_upload_status" and options.upload_status_envelope == "bare"
    if bare or not operation.enveloped:
        return data
    if options.envelope == "top_level" and not operation.many:
        head = ("requestId", "timestamp")
        return {"allOf": [_object(head), data]}
    around = _ENVELOPES.get(options.envelope, _ENVELOPES["data"])
    enveloped = _object(around)
    enveloped["properties"]["data"] = data
    enveloped["required"].append("data")
    return enveloped


def _object(names: tuple[str, ...]) -> dict[str, Any]:
    members = {name: _MADE_UP[name] for name in names}
    return {"type": "object", "required": list(names), "properties": members}


def _answer(model: type[WireModel], options: Options, schemas: dict[str, Any]) -> str:
    """Describe an answer's model, and the parts in it, as they go over the wire."""
    name = model.__name__
    if name in schemas:
        return name
    schemas[name] = {}
    whole = model.model_json_schema(by_alias=True, mode="serialization")
    properties, required = {}, []
    nulls = options.optional_fields == "null"
    for member, field in model.model_fields.items():
        if member in model.internal_fields:
            continue
        alias = field.serialization_alias or field.alias or member
        shown = _with_parts(whole["properties"][alias], field.annotation, options, schemas)
        optional = type(None) in get_args(field.annotation)
        properties[alias] = shown if nulls and optional else _without_null(shown)
        if nulls or not optional:
            required.append(alias)
    schemas[name] = {"type": "object", "required": required, "properties": properties}
    return name


def _with_parts(
    schema: dict[str, Any], hint: object, options: Options, schemas: dict[str, Any]
) -> dict[str, Any]:
    """A member's schema, its references to parts those of what is on the wire."""
    for part in _parts_in(hint):
        _answer(part, options, schemas)
    return dict(_moved(schema))


def _parts_in(hint: object) -> Iterable[type[WireModel]]:
    if isinstance(hint, type) and issubclass(hint, WireModel):
        yield hint
    for inner in get_args(hint):
        yield from _parts_in(inner)


def _incoming(
    model: type[RequestModel], options: Options, schemas: dict[str, Any]
) -> dict[str, Any]:
    schema = _moved(model.model_json_schema(by_alias=True))
    for name, inner in schema.pop("$defs", {}).items():
        schemas[name] = _closed(inner, options)
    return _closed(schema, options)


def _closed(schema: dict[str, Any], options: Options) -> dict[str, Any]:
    closed = {"additionalProperties": False} if options.unknown_fields == "refused" else {}
    return {key: value for key, value in schema.items() if key != "description"} | closed


def _moved(schema: Any) -> Any:  # noqa: ANN401 - any JSON value
    """References into the components; titles and null defaults are of no use on the wire."""
    if isinstance(schema, list):
        return [_moved(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {}
    for key, value in schema.items():
        if key == "$ref":
            moved[key] = value.replace("#/$defs/", "#/components/schemas/")
        elif key == "properties":
            moved[key] = {name: _moved(member) for name, member in value.items()}
        elif not (key == "title" or (key == "default" and value is None)):
            moved[key] = _moved(value)
    return moved


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    moved = dict(_moved(schema))
    choices = [one for one in moved.pop("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        return moved | dict(choices[0])
    return moved | ({"anyOf": choices} if choices else {})


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _links(
    operation: Operation, operations: tuple[Operation, ...], options: Options
) -> dict[str, Any]:
    ids = {row.name: row.operation_id for row in operations}
    data = "" if options.envelope == "top_level" else "/data"
    return {
        target: {
            "operationId": ids[target],
            "parameters": {parameter: f"$response.body#{data}/{pointer}"},
        }
        for target, parameter, pointer in _LINKS.get(operation.name, ())
    }
