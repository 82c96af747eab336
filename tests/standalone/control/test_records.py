"""The rows of the collections: what Python can do to records, over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from doubles.controlled import Controlled, Refused

from mock_server.control.rows.state.record_models import RECORD_KINDS
from mock_server.control.table import CONTROLS

REQUIRED: dict[str, dict[str, Any]] = {
    "licenses": {"npn": "12345678"},
    "appointments": {"npn": "12345678"},
    "regulatory_actions": {"npn": "12345678"},
    "contacts": {"downstreamEntityAssociationId": "ASSOCIATION"},
    "coverages": {"downstreamEntityAssociationId": "ASSOCIATION"},
}
CHANGES: dict[str, dict[str, Any]] = {
    "products": {"name": "Other"},
    "licenses": {"status": "inactive"},
    "appointments": {"status": "terminated"},
    "regulatory_actions": {"disposition": "Warning"},
    "npns": {"name": "Robin Reyes"},
    "associations": {"branchName": "West"},
    "agents": {"lastName": "Reyes"},
    "contacts": {"firstName": "Robin"},
    "documents": {"fileName": "w9.pdf"},
    "templates": {"status": "archived"},
    "coverages": {"aggregateCoverageInUSD": 2_000_000},
    "policies": {"carrierName": "Other"},
}


@pytest.fixture
def controlled() -> Controlled:
    """A server with an empty sandbox."""
    return Controlled()


def ids(document: object) -> Iterator[str]:
    """All ids in a record."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name in ("_id", "id", "contactId", "npn") and isinstance(value, str):
                yield value
            yield from ids(value)


@pytest.mark.parametrize("name", CHANGES)
def test_a_record_is_added_found_changed_and_removed(controlled: Controlled, name: str) -> None:
    """Each collection has the five verbs, and each does what the method in Python does."""
    path = f"/{name.replace('_', '-')}"
    association = controlled.call("POST", "/associations")["_id"]
    members = {
        key: association if value == "ASSOCIATION" else value
        for key, value in REQUIRED.get(name, {}).items()
    }
    added = controlled.call("POST", path, **members)
    collection = controlled.sandbox.collection(RECORD_KINDS[name])
    key = list(collection)[-1].key
    assert key in ids(added)
    assert added == controlled.get(f"{path}/{key}")
    assert added in controlled.get(path)["items"]
    changed = controlled.call("PATCH", f"{path}/{key}", **CHANGES[name])
    assert CHANGES[name].items() <= (changed | changed.get("agent", {})).items()
    before = len(collection)
    assert controlled.send("DELETE", f"{path}/{key}").status == 204
    assert len(collection) == before - 1
    with pytest.raises(Refused, match="404"):
        controlled.get(f"{path}/{key}")


def test_filters_are_members_and_indexes(controlled: Controlled) -> None:
    """A list is filtered by what a record is found by, and by its plain members."""
    west = controlled.call("POST", "/associations", branchName="West")["_id"]
    controlled.call("POST", "/agents", npn="1", downstreamEntityAssociationId=west)
    controlled.call("POST", "/agents", npn="2", isArchived=True, lastName="Núñez")
    controlled.call("POST", "/agents", npn="3", isArchived=True)
    assert _npns(controlled, "") == ["1", "2", "3"]
    assert _npns(controlled, "npn=2") == ["2"]
    assert _npns(controlled, f"association={west}") == ["1"]
    assert _npns(controlled, "isArchived=true") == ["2", "3"]
    assert _npns(controlled, "isArchived=true&lastName=N%C3%BA%C3%B1ez") == ["2"]
    assert _npns(controlled, "limit=1&offset=1") == ["2"]
    assert controlled.get("/agents", "limit=1")["total"] == 3


def _npns(controlled: Controlled, query: str) -> list[str]:
    return [item["agent"]["npn"] for item in controlled.get("/agents", query)["items"]]


def test_an_upload_is_enqueued_clarified_and_fails(controlled: Controlled) -> None:
    """Uploads have no ``add``: their rows are enqueued, and each state can be brought about."""
    upload = controlled.call("POST", "/uploads/enqueue", rows=[{"Policy Number": "P-1"}])
    path = f"/uploads/{upload['uploadId']}"
    assert upload["status"] == "QUEUED"
    assert controlled.call("PATCH", path, status="NEEDS_CLARIFICATION")["totalRows"] == 1
    assert controlled.call("POST", f"{path}/clarify", agencies={})["status"] == "PROCESSING"
    assert controlled.call("POST", f"{path}/fail")["status"] == "FAILED"
    with pytest.raises(Refused, match="FAILED"):
        controlled.call("POST", f"{path}/cancel")


def test_an_agent_leaves_an_association(controlled: Controlled) -> None:
    """What a collection does besides has a row of its own."""
    association = controlled.call("POST", "/associations")["_id"]
    agent = controlled.call("POST", "/agents", downstreamEntityAssociationId=association)
    path = f"/agents/{agent['agent']['_id']}/leave"
    assert agent["associationIds"] == [association]
    assert controlled.call("POST", path, associationId=association)["associationIds"] == []


def test_a_lookup_keeps_the_account_busy(controlled: Controlled) -> None:
    """Durations are seconds or text."""
    assert controlled.call("POST", "/npns/occupy", duration="1m30s") is None
    assert controlled.sandbox.npns.busy


@pytest.mark.parametrize(
    ("members", "field", "nearest"),
    [
        ({"nmp": "1"}, "nmp", "npn"),
        ({"first_name": "Robin"}, "first_name", "firstName"),
        ({"authority": [{"approvedState": []}]}, "authority[0].approvedState", "approvedStates"),
        ({"isArchived": "yes"}, "isArchived", None),
        ({"email": "nobody"}, "email", None),
        ({"npn": 12345678}, "npn", None),
    ],
)
def test_a_wrong_member_is_named(
    controlled: Controlled, members: dict[str, object], field: str, nearest: str | None
) -> None:
    """A refusal names the field and what was expected, with the nearest name; nothing changes."""
    before = controlled.sandbox.snapshot()
    with pytest.raises(Refused) as refused:
        controlled.call("POST", "/agents", **members)
    problem = refused.value.document["problems"][0]
    assert refused.value.status == 400
    assert problem["field"] == field
    assert problem["expected"]
    assert problem.get("nearest") == nearest
    assert controlled.sandbox.snapshot() == before


def test_a_choice_is_that_of_the_record(controlled: Controlled) -> None:
    """A keyword that takes any text in Python has the record's choice here."""
    with pytest.raises(Refused, match=r"one of AL, AK, .*did you mean 'CA'") as refused:
        controlled.call("POST", "/licenses", npn="1", stateCode="CAA")
    assert refused.value.fields == ["stateCode"]


def test_every_collection_has_its_rows() -> None:
    """A new collection gets its rows by being one."""
    for name in RECORD_KINDS:
        noun = name.replace("_", "-")
        verbs = {row.verb for row in CONTROLS.values() if row.noun == noun}
        assert {"list", "get", "update", "remove"} < verbs
        assert ("add" in verbs) is (name != "uploads")


def test_record_is_deleted_softly_and_restored() -> None:
    """Both name it by its id in the path; a kind that is only removed says so."""
    server = Controlled()
    agent = server.call("POST", "/agents", npn="12345678")["agent"]
    assert server.call("POST", f"/agents/{agent['_id']}/delete")["isDeleted"]
    assert not server.call("POST", f"/agents/{agent['_id']}/undelete")["isDeleted"]
    product = server.call("POST", "/products", name="Cyber")
    with pytest.raises(Refused) as refused:
        server.call("POST", f"/products/{product['_id']}/delete")
    assert refused.value.status == 400
