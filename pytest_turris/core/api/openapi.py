"""The OpenAPI 3.1 description of the API, made from the route table and its models.

Each operation says how it is known, in ``x-fidelity``. Answers depend on the options, and so
does the description.
"""

from collections.abc import Iterable
from typing import Any

from pytest_turris.core.api.documented_texts import (
    HEADERS,
    MEMBERS,
    PATHS,
    STATUS_TEXTS,
    described_text,
)
from pytest_turris.core.api.operation import Operation
from pytest_turris.core.api.schemas import ERROR, Schemas, of_query, reference
from pytest_turris.core.middleware.idempotency import IDEMPOTENCY_HEADERS
from pytest_turris.core.options import Options
from pytest_turris.core.text.docs_links import page
from pytest_turris.core.wire.hosts import HOSTS

DOCUMENT_PATH = "/__sandbox__/openapi.json"
REASONS = {
    400: "Invalid input",
    401: "Invalid or missing auth token",
    403: "Insufficient permissions",
    404: "Not found",
    409: "There is such a record already",
    410: "Gone: after the sunset date",
    413: "The body is too large",
    422: "The idempotency key was used with another body",
    429: "Rate limit exceeded",
}

_SANDBOX = f"https://{HOSTS['sandbox']}"
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "public": [],
    "oauth": [{"accessToken": []}],
    "restricted": [{"restrictedAccessToken": []}],
    "any": [{"accessToken": []}, {"restrictedAccessToken": []}],
}
_SECURITY_SCHEMES = {
    "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "restrictedAccessToken": {
        "type": "apiKey",
        "in": "header",
        "name": "x-restricted-access-token",
    },
}
_ENVELOPE_MEMBERS = {
    "requestId": {
        "type": "string",
        "description": "Unique request identifier",
        "example": "dev-2c5e7cf2-9acf-4c8c-ab2f-b81f39d775a8",
    },
    "timestamp": {
        "type": "string",
        "format": "date-time",
        "description": "Response timestamp",
        "example": "2025-11-12T20:49:03.293Z",
    },
    "statusCode": {"type": "integer"},
}
_ENVELOPES = {
    "data": ("requestId", "timestamp"),
    "data_with_status": ("requestId", "statusCode", "timestamp"),
    "status_without_request_id": ("statusCode", "timestamp"),
    "top_level": ("requestId", "timestamp"),
}


def document(
    operations: Iterable[Operation], options: Options, server_url: str = ""
) -> dict[str, Any]:
    """The description of these operations under these options, as JSON data.

    Args:
        operations: The operations.
        options: The options that their answers depend on.
        server_url: Where the sandbox answers, named first; else the documented sandbox host. The
            production host is not named: generated clients use the first one by default.
    """
    rows = tuple(operations)
    schemas = Schemas(options)
    ids = {row.name: row.operation_id for row in rows}
    paths: dict[str, Any] = {}
    for row in rows:
        described = _described(row, options, schemas, ids)
        paths.setdefault(row.path, {})[row.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Turris Public API",
            "version": "1.0.0",
            "description": (
                "API for managing insurance compliance data. What the pytest-turris sandbox "
                "answers; not made by the vendor."
            ),
        },
        "servers": [
            {"url": url, "description": "Sandbox" if url == _SANDBOX else "This server"}
            for url in dict.fromkeys((server_url or _SANDBOX, _SANDBOX))
        ],
        "tags": [{"name": tag} for tag in dict.fromkeys(row.tag for row in rows)],
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": _SECURITY_SCHEMES},
    }


def _described(
    operation: Operation, options: Options, schemas: Schemas, ids: dict[str, str]
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": _SECURITY[operation.access],
        "parameters": _parameters(operation),
        "responses": _responses(operation, options, schemas),
        "x-fidelity": operation.fidelity,
    }
    if operation.deprecated:
        described["deprecated"] = True
    if operation.guide:
        url, about = page(operation.guide.page), operation.guide.about
        described["externalDocs"] = {"url": url, "description": about}
    if (model := operation.body or operation.form) is not None:
        media: dict[str, Any] = {"schema": schemas.of_request(model)}
        if operation.file_type:
            media["encoding"] = {"file": {"contentType": operation.file_type}}
        media_type = "multipart/form-data" if operation.form else "application/json"
        described["requestBody"] = {"required": True, "content": {media_type: media}}
    if operation.links:
        described["responses"][str(operation.status_under(options))]["links"] = _links(
            operation, options, ids
        )
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    path = {"in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    found: list[dict[str, Any]] = [
        {"name": name, **path, **described_text(PATHS.get(name))} for name in operation.parameters
    ]
    if operation.query is not None:
        for name, required, schema in of_query(operation.query):
            text = described_text(MEMBERS.get((operation.query.__name__, name)))
            found.append(
                {"name": name, "in": "query", "required": required, "schema": schema, **text}
            )
    if operation.idempotent:
        key = {"in": "header", "required": False, "schema": {"type": "string"}}
        found += [
            {"name": name, **key, **described_text(HEADERS[name])} for name in IDEMPOTENCY_HEADERS
        ]
    return found


def _responses(operation: Operation, options: Options, schemas: Schemas) -> dict[str, Any]:
    success: dict[str, Any] = {"description": STATUS_TEXTS.get(operation.name, operation.summary)}
    if (schema := _success_schema(operation, options, schemas)) is not None:
        success["content"] = {"application/json": {"schema": schema}}
    if headers := _headers(operation):
        success["headers"] = headers
    error = {"application/json": {"schema": reference(ERROR)}}
    return {str(operation.status_under(options)): success} | {
        str(status): {"description": REASONS[status], "content": error}
        for status in operation.refusals_under(options)
    }


def _headers(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if operation.method != "GET":
        names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
        found |= {name: {"schema": {"type": "integer"}} for name in names}
    if operation.deprecated:
        found |= {
            name: {"schema": {"type": "string"}, "required": True}
            for name in ("Deprecation", "Sunset", "Link")
        }
    return found


def _success_schema(
    operation: Operation, options: Options, schemas: Schemas
) -> dict[str, Any] | None:
    if operation.answer is None:
        is_read = operation.method == "GET"
        # Without the second member, generators of clients take it for an object without members.
        return {"type": "object", "additionalProperties": True} if is_read else None
    data = schemas.of_answer(operation.answer)
    if operation.many:
        data = {"type": "array", "items": data}
    if operation.is_bare(options):
        return data
    # The pages disagree about the other members of the envelope, so none of them is required.
    members = {name: _ENVELOPE_MEMBERS[name] for name in _ENVELOPES[options.envelope]}
    enveloped: dict[str, Any] = {"type": "object", "required": [], "properties": members}
    if options.envelope == "top_level" and not operation.many:
        return {"allOf": [enveloped, data]}
    enveloped["properties"]["data"] = data
    enveloped["required"].append("data")
    return enveloped


def _links(operation: Operation, options: Options, ids: dict[str, str]) -> dict[str, Any]:
    data = "" if options.envelope == "top_level" else "/data"
    return {
        link.operation: {
            "operationId": ids[link.operation],
            "parameters": {link.parameter: f"$response.body#{data}/{link.pointer}"},
        }
        for link in operation.links
    }
