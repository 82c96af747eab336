"""Collections: every kind of record is added, found, changed, removed and restored alike."""

import datetime as dt
import json
from functools import partial
from typing import Any

import pytest
from doubles.sandbox_client import Client
from pydantic import ValidationError

from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.resources.record import RecordError
from pytest_turris.core.sandbox import Sandbox

COLLECTIONS = {
    "agents": {"first_name": "Pat"},
    "associations": {"downstream_entity_name": "Acme", "email": "pat@acme.example"},
    "products": {"name": "Auto"},
    "licenses": {"npn": "1", "status": "inactive"},
    "appointments": {"npn": "1", "status": "terminated"},
    "regulatory_actions": {"npn": "1", "disposition": "Warning"},
    "contacts": {"last_name": "Pat"},
    "documents": {"category": "W9"},
    "templates": {"name": "Other"},
    "policies": {"policy_number": "P"},
    "coverages": {"policy_number": "P"},
    "npns": {"name": "Pat"},
}


def some(sandbox: Sandbox, name: str) -> tuple[Any, dict[str, Any]]:
    """A collection, and the required keywords of its ``add``."""
    needed: dict[str, Any] = {}
    if name in ("licenses", "appointments", "regulatory_actions"):
        needed = {"npn": "1"}
    if name in ("contacts", "coverages"):
        needed = {"downstream_entity_association_id": sandbox.associations.add().id}
    return getattr(sandbox, name), needed


@pytest.mark.parametrize("name", COLLECTIONS)
def test_add_get_update_remove_iterate(name: str) -> None:
    """The same methods work for every kind of record."""
    sandbox = Sandbox()
    collection, needed = some(sandbox, name)
    before = len(collection)
    record = collection.add(**needed)
    assert collection.get(record.key) is record
    assert len(list(collection)) in (before, before + 1)
    assert collection.update(record, **COLLECTIONS[name]) is record
    again = Sandbox()
    again.restore(json.loads(json.dumps(sandbox.snapshot())))
    assert again.snapshot() == sandbox.snapshot()
    collection.remove(record)
    assert collection.find(record.key) is None
    with pytest.raises(KeyError, match=r"no .* with id"):
        collection.get(record.key)


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_misspelt_keyword_is_answered_with_the_nearest(name: str) -> None:
    """By ``add`` and ``update`` alike; nothing is made or changed."""
    sandbox = Sandbox()
    collection, needed = some(sandbox, name)
    record = collection.add(**needed)
    word = next(iter(COLLECTIONS[name]))
    count = len(collection)
    wrong = word[:-1] + "x" + word[-1]
    with pytest.raises(RecordError, match=f"did you mean '{word}'"):
        collection.add(**needed, **{wrong: "1"})
    with pytest.raises(RecordError, match=f"did you mean '{word}'"):
        collection.update(record, **{wrong: "1"})
    assert len(collection) == count


def test_a_collection_is_not_replaced() -> None:
    """An assignment that would hide it is refused."""
    sandbox = Sandbox()
    with pytest.raises(AttributeError, match="Agents cannot be replaced"):
        sandbox.agents = []  # type: ignore[misc] # the point


def test_a_collection_is_documented_on_the_class() -> None:
    """``help(Sandbox)`` shows what each attribute holds."""
    assert Sandbox.agents.kind is type(Sandbox().agents)
    assert Sandbox.agents.__doc__ == type(Sandbox().agents).__doc__


def test_an_update_moves_a_record_in_the_indexes(caller: Client) -> None:
    """It is found by its new values, not by the old ones, and keeps its position."""
    agents = caller.sandbox.agents
    first, second = agents.add(npn="1"), agents.add(npn="2")
    agents.update(first, npn="3")
    assert [entry.npn for entry in agents] == ["3", "2"]
    assert caller.get("/v1/agents?npn=1").json()["data"] == []
    assert len(caller.get("/v1/agents?npn=3").json()["data"]) == 1
    agency = caller.sandbox.associations.add()
    for entry in (second, first):
        agents.update(entry, downstream_entity_association_id=agency.id)
    found = caller.get(f"/v1/agents?downstreamEntityAssociationId={agency.id}").json()["data"]
    assert [entry["agent"]["npn"] for entry in found] == ["3", "2"]


def test_records_change_through_their_collection_only() -> None:
    """Otherwise the indexes would be wrong."""
    agent = Sandbox().agents.add()
    with pytest.raises(ValidationError, match="frozen"):
        agent.agent.npn = "1"


def test_an_id_is_taken_once() -> None:
    """A second record with the id of another is refused."""
    sandbox = Sandbox()
    sandbox.npns.add(npn="1")
    with pytest.raises(RecordError, match=r"^RegisteredNpn: the id '1' is taken$"):
        sandbox.npns.add(npn="1")


def test_an_unknown_index_is_refused() -> None:
    """``where`` knows the indexes of its collection only."""
    with pytest.raises(UnknownNameError, match=r"^AgentEntry has no index 'name'$"):
        Sandbox().agents.where(name="x")


def test_a_coverage_needs_its_association() -> None:
    """It is refused for an id that no association has."""
    with pytest.raises(RecordError, match=r"^no association with id 'x'; add it first$"):
        Sandbox().coverages.add(downstream_entity_association_id="x")


def test_a_set_status_is_shown_whatever_the_dates_say() -> None:
    """The status of a coverage or policy follows its dates only if it is not set."""
    sandbox = Sandbox()
    agency = sandbox.associations.add()
    coverage = sandbox.coverages.add(
        downstream_entity_association_id=agency.id, collection_status="rejected"
    )
    policy = sandbox.policies.add(current_status="non renewed")
    now = sandbox.clock.now()
    assert (coverage.status_at(now), policy.status_at(now)) == ("rejected", "non renewed")
    later = sandbox.policies.add(effective_date=now + dt.timedelta(days=1))
    assert later.status_at(now) == "bound"


def test_a_contact_leaves_with_its_last_agency() -> None:
    """The contact of two agencies stays when one of them is removed, and goes with the other."""
    sandbox = Sandbox()
    first, second = (sandbox.associations.add(email=f"{name}@a.example") for name in "ab")
    for agency in (first, second):
        sandbox.contacts.add(downstream_entity_association_id=agency.id, email="both@a.example")
    sandbox.associations.remove(first)
    (both,) = sandbox.contacts.where(email="both@a.example")
    assert [one.downstream_entity_association_id for one in both.associations] == [second.id]
    sandbox.associations.remove(second)
    assert len(sandbox.contacts) == 0


def test_custom_fields_are_filled_as_their_types_say() -> None:
    """A message for each value that does not fit, and none for those that do."""
    fields: list[dict[str, Any]] = [
        {"field_name": "name"},
        {"field_name": "share", "field_type": "number", "min_value": 1, "max_value": 9},
        {"field_name": "agreed", "field_type": "boolean", "is_required": True},
        {"field_name": "note", "is_required": True, "default_value": "none"},
    ]
    template = Sandbox().templates.add(custom_fields=fields)
    broken = partial(template.broken_rules, missing="class_validator")
    assert list(broken({"name": "A", "share": 5, "agreed": True})) == []
    assert list(broken({"name": None, "share": 0.5, "more": 1})) == [
        "customFieldValues.more is not a custom field of the template",
        "customFieldValues.share must not be less than 1",
        "customFieldValues.agreed is required",
    ]
    assert list(broken({"name": 5, "share": 10, "agreed": 1})) == [
        "customFieldValues.name must be a string",
        "customFieldValues.share must not be greater than 9",
        "customFieldValues.agreed must be a boolean",
    ]
    assert next(broken(None)) == "customFieldValues must be an object"
