"""The control API as an OpenAPI document: ``turris-sandbox openapi --control``."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it has no types
import pytest
from click.testing import CliRunner
from openapi_spec_validator import validate

from mock_server.control.openapi import control_document
from mock_server.control.table import CONTROLS
from mock_server.shell.cli import app
from pytest_turris.core.api.openapi import document
from pytest_turris.core.api.openapi_30 import as_version_30
from pytest_turris.core.api.routes import operations_at
from pytest_turris.core.options import Options


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The document."""
    return control_document("http://127.0.0.1:9999")


def test_document_is_valid(described: dict[str, Any]) -> None:
    """A generator of clients can read it."""
    validate(described)
    assert described["openapi"] == "3.1.0"
    assert described["servers"] == [{"url": "http://127.0.0.1:9999/__sandbox__"}]
    assert described["security"] == [{"controlToken": []}]


def test_every_control_is_an_operation(described: dict[str, Any]) -> None:
    """No row is left out, and each name is there once."""
    found = {
        (method.upper(), path): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }
    assert set(found) == {(row.method, row.path) for row in CONTROLS.values()}
    names = [operation["operationId"] for operation in found.values()]
    assert len(names) == len(set(names)) == len(CONTROLS)


def test_parameters_stand_where_they_are_read(described: dict[str, Any]) -> None:
    """Those of a path and a query are parameters, all others members of the body."""
    update = described["paths"]["/agents/{id}"]["patch"]
    assert [one["name"] for one in update["parameters"]] == ["id"]
    body = update["requestBody"]["content"]["application/json"]["schema"]
    assert "email" in body["properties"]
    assert "id" not in body["properties"]
    listing = described["paths"]["/agents"]["get"]
    assert "npn" in [one["name"] for one in listing["parameters"] if one["in"] == "query"]
    advance = described["paths"]["/clock/advance"]["post"]
    assert advance["requestBody"]["required"]
    assert advance["requestBody"]["content"]["application/json"]["schema"]["required"] == ["by"]


def test_headers_of_a_fault_are_texts_by_name(described: dict[str, Any]) -> None:
    """Generators of clients make a type for it that takes any header, and know its limits."""
    body = described["paths"]["/faults"]["post"]["requestBody"]["content"]["application/json"]
    headers = body["schema"]["properties"]["headers"]
    assert headers["additionalProperties"]["type"] == "string"
    assert headers["propertyNames"]["maxLength"] == 100
    validator = jsonschema.Draft202012Validator(headers)
    assert validator.is_valid({"Retry-After": "5"})
    assert not validator.is_valid({"no name": "5"})
    assert not validator.is_valid({"Retry-After": "5\r\nSet-Cookie: a"})


@pytest.mark.parametrize("name", ["control", "3.1", "3.0"])
def test_no_object_has_members_that_generators_do_not_see(
    described: dict[str, Any], name: str
) -> None:
    """Of such an object, openapi-typescript makes a type without members."""
    options = Options()
    own = document(operations_at(options.webhooks_path), options)
    documents = {"control": described, "3.1": own, "3.0": as_version_30(own)}
    objects = [one for one in _schemas(documents[name]) if one.get("type") == "object"]
    assert objects
    for one in objects:
        assert one.keys() & {"properties", "additionalProperties", "allOf"}, one
        assert "patternProperties" not in one


def _schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document that may be a schema."""
    if isinstance(node, dict):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _schemas(one)


def test_no_two_models_have_one_name() -> None:
    """The schema that a name refers to is the same wherever the name stands."""
    found: dict[str, Any] = {}
    for row in CONTROLS.values():
        made = [row.parameters.model_json_schema(by_alias=True)]
        if row.result is not None:
            made.append(row.result.model_json_schema(by_alias=True, mode="serialization"))
        for name, schema in (pair for one in made for pair in one.get("$defs", {}).items()):
            assert found.setdefault(name, schema) == schema, (row.name, name)


def test_command_prints_it(described: dict[str, Any]) -> None:
    """Options do not change it, and so are refused with it."""
    result = CliRunner().invoke(app, ["openapi", "--control"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["paths"] == described["paths"]
    for more in (["--version", "3.0"], ["-o", "seed=1"]):
        refused = CliRunner().invoke(app, ["openapi", "--control", *more])
        assert refused.exit_code == 2
        assert (
            "--control: it is described in 3.1 alone, without options: leave out" in refused.output
        )
    help_text = " ".join(CliRunner().invoke(app, ["openapi", "--help"]).output.split())
    assert "in place of Turris' own: in OpenAPI 3.1 only." in help_text
