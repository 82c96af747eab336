"""The OpenAPI description: valid under each option, and true to the route table."""

import itertools
from collections.abc import Callable

import pytest
from doubles.sandbox_client import Client
from openapi_spec_validator import validate

from pytest_turris.core.api.openapi import DOCUMENT_PATH, document
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.options import Options, choices


def test_the_description_has_null_where_an_answer_may_have_it() -> None:
    """A member that is never ``null`` may be missing instead."""
    options = Options(optional_fields="null")
    schemas = document(OPERATIONS, options)["components"]["schemas"]
    entry = schemas["AgentEntry"]
    assert "email" in entry["required"]
    assert {"type": "null"} in entry["properties"]["email"]["anyOf"]
    assert "downstreamEntityAssociationId" not in entry["required"]
    assert entry["properties"]["downstreamEntityAssociationId"]["type"] == "string"


@pytest.mark.parametrize(
    ("envelope", "optional_fields"),
    list(itertools.product(choices("envelope"), choices("optional_fields"))),
)
def test_the_description_is_valid(envelope: str, optional_fields: str) -> None:
    """Under each documented envelope, with optional members omitted or null."""
    options = Options.from_layers({"envelope": envelope, "optional_fields": optional_fields})
    validate(document(OPERATIONS, options))


def test_each_operation_says_how_it_is_known() -> None:
    """Its id, its ``x-fidelity``, and the page that documents it."""
    paths = document(OPERATIONS, Options())["paths"]
    for operation in OPERATIONS:
        described = paths[operation.path][operation.method.lower()]
        assert described["operationId"] == operation.operation_id
        assert set(described["x-fidelity"]) >= {"operation", "operationId", "status"}
    sync = paths["/v1/agents/{agentId}/sync"]["post"]
    assert sync["x-fidelity"] == {
        "operation": "documented",
        "operationId": "documented",
        "status": "documented",
        "source": "compliance-data-subscriptions/sync-agent",
    }


def test_a_sandbox_gives_its_own_description(caller_with: Callable[..., Client]) -> None:
    """Under its own options, without a credential; the operation itself is not in it."""
    caller = caller_with(envelope="data_with_status", unknown_fields="refused")
    caller.bearer = None
    answer = caller.get(DOCUMENT_PATH)
    assert answer.status == 200
    assert answer.json() == document(OPERATIONS, caller.sandbox.options)
    assert DOCUMENT_PATH not in answer.json()["paths"]


def test_unknown_members_can_be_refused(caller_with: Callable[..., Client]) -> None:
    """In a body and in a query, in class-validator's words."""
    caller = caller_with(unknown_fields="refused")
    answer = caller.post("/v1/agents", {"npn": "1", "nmp": "2"})
    assert answer.json()["errorMessage"] == ["property nmp should not exist"]
    assert caller.get("/v1/agents?nnp=1").json()["errorMessage"] == [
        "property nnp should not exist"
    ]


def test_an_unknown_method_can_be_a_405(caller_with: Callable[..., Client]) -> None:
    """``Allow`` lists the methods of the path."""
    caller = caller_with(unknown_method="method_not_allowed")
    for path, allowed in (("/v1/agents", "GET, POST"), ("/v1/agents/x", "GET")):
        answer = caller.send("DELETE", path)
        assert (answer.status, dict(answer.headers)["allow"]) == (405, allowed)
    assert caller.send("DELETE", "/v1/nothing").status == 404


_OF_POLICY = [
    "_id", "policyNumber", "currentStatus", "riskStateCode", "entityMatchStatus",
    "productMatchStatus", "transactionCount", "createdAt", "updatedAt",
]  # fmt: skip
_REQUIRED = {
    "Policy": _OF_POLICY,
    "ContactAssociation": ["downstreamEntityId", "businessRoles", "isPrimary"],
    "UploadError": ["index", "error"],
    "ErrorResponseDto": ["statusCode", "requestId", "errorType", "errorMessage", "timestamp"],
}
"""What the pages show as required; of other answers, no page shows it."""


@pytest.mark.parametrize("model", _REQUIRED)
def test_the_documented_members_are_required(model: str) -> None:
    """A generated client has no optional member where Turris always sends one."""
    schema = document(OPERATIONS, Options())["components"]["schemas"][model]
    assert schema["required"] == _REQUIRED[model]


@pytest.mark.parametrize("optional_fields", choices("optional_fields"))
def test_what_follows_from_other_members_is_always_sent(
    caller_with: Callable[..., Client], optional_fields: str
) -> None:
    """A record without the member is answered with it, so that it is required, and never null."""
    caller = caller_with(optional_fields=optional_fields)
    sandbox = caller.sandbox
    agency = sandbox.associations.add()
    sandbox.policies.add()
    sandbox.coverages.add(downstream_entity_association_id=agency.id)
    schemas = caller.get(DOCUMENT_PATH).json()["components"]["schemas"]
    (policy,) = caller.get("/v1/policies").json()["data"]
    path = f"/v1/downstream-entity-associations/{agency.id}/policy-compliance-statuses"
    coverage = caller.get(path).json()["data"]["eAndO"]
    for name, member, sent in (
        ("Policy", "currentStatus", policy),
        ("Coverage", "collectionStatus", coverage),
    ):
        assert member in schemas[name]["required"]
        assert "null" not in str(schemas[name]["properties"][member])
        assert isinstance(sent[member], str)
