"""The description in OpenAPI 3.0: valid, without what only 3.1 has, with the documented texts."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from pytest_turris.core.api.documented_texts import MEMBERS, PATHS, STATUS_TEXTS
from pytest_turris.core.api.openapi import document
from pytest_turris.core.api.openapi_30 import as_version_30
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.options import Options

NEWER = {"const", "if", "then", "else", "prefixItems", "patternProperties", "examples", "$defs"}


def schemas_in(value: object) -> Iterator[dict[str, Any]]:
    """Every JSON object in a description."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from schemas_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from schemas_in(item)


@pytest.mark.parametrize("nulls", ["omitted", "null"])
@pytest.mark.parametrize(
    "envelope", ["data", "data_with_status", "status_without_request_id", "top_level"]
)
def test_is_valid_in_every_form(nulls: str, envelope: str) -> None:
    """The validator of 3.0 accepts it, and nothing of 3.1 is left."""
    options = Options.from_layers({"optional_fields": nulls, "envelope": envelope})
    newer = document(OPERATIONS, options)
    before = json.dumps(newer)
    older = as_version_30(newer)
    OpenAPIV30SpecValidator(older).validate()
    assert json.dumps(newer) == before
    assert older["openapi"] == "3.0.3"
    for schema in schemas_in(older["components"]["schemas"]):
        assert not NEWER & schema.keys()
        assert schema.get("type") != "null"
        assert not isinstance(schema.get("type"), list)


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "default": "a"},
            {"type": "string", "nullable": True, "default": "a"},
        ),
        (
            {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]},
            {"allOf": [{"$ref": "#/components/schemas/A"}], "nullable": True},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": True},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        ),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"type": "object", "allOf": [{"if": {}, "then": {}}]}, {"type": "object"}),
        ({"allOf": [{"if": {}}, {"type": "object"}]}, {"allOf": [{"type": "object"}]}),
        (
            {"type": "object", "properties": {"not": {"const": 1}, "if": {"type": "string"}}},
            {"type": "object", "properties": {"not": {"enum": [1]}, "if": {"type": "string"}}},
        ),
    ],
)
def test_schemas_in_the_older_words(newer: dict[str, Any], older: dict[str, Any]) -> None:
    """Each construct of 3.1 has its counterpart; members of data keep their names."""
    found = as_version_30({"schema": newer})["schema"]
    assert found == older


def test_patterns_can_be_put_into_quotation_marks() -> None:
    """Generators write them into the source of a client, between quotation marks."""
    made = document(OPERATIONS, Options())
    patterns = [schema["pattern"] for schema in schemas_in(made) if "pattern" in schema]
    assert patterns
    assert [one for one in patterns if isinstance(one, str) and '"' in one] == []


def test_documented_texts_are_in_the_description() -> None:
    """Names that no operation has are not in the tables; servers and keys have their texts."""
    made = document(OPERATIONS, Options(), "http://127.0.0.1:8791")
    assert [one["description"] for one in made["servers"]] == ["This server", "Sandbox"]
    names = {operation.name for operation in OPERATIONS}
    assert STATUS_TEXTS.keys() <= names
    assert PATHS.keys() <= {name for operation in OPERATIONS for name in operation.parameters}
    invite = made["paths"]["/v1/downstream-entity-associations/invite"]["post"]
    keys = {one["name"]: one for one in invite["parameters"]}
    assert keys["idempotency-key"] == {
        "name": "idempotency-key",
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": "UUID to ensure idempotent request processing",
        "example": "550e8400-e29b-41d4-a716-446655440000",
    }
    models = {
        (model.__name__, str(field.alias))
        for operation in OPERATIONS
        for model in (operation.body, operation.query)
        if model is not None
        for field in model.model_fields.values()
    }
    # The newer copy of the page has the name; the sandbox need not take it.
    assert MEMBERS.keys() <= models
