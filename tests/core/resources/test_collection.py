"""Collections: every kind of record is added, found, changed, removed and restored alike."""

import json
from typing import Any

import pytest
from doubles.sandbox_client import Client
from pydantic import ValidationError

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
