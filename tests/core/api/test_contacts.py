"""Contacts: who is visible, how filters combine, what follows an association."""

import pytest
from doubles.sandbox_client import Client, refusal

from pytest_turris.core.resources.record import RecordError
from pytest_turris.core.sandbox import Sandbox


def test_members_are_in_the_documented_order(caller: Client) -> None:
    """One entry per contact and agency; an agency-wide default has no association id."""
    agency = caller.sandbox.associations.add(email="dana@acme.example")
    caller.sandbox.contacts.add(
        downstream_entity_association_id=agency.id,
        email="DANA@acme.example",
        business_roles=["Finance Manager"],
        visibility="agency",
    )
    caller.sandbox.contacts.add(
        downstream_entity_association_id=agency.id, email="k@acme.example", visibility="agency"
    )
    contact, other = caller.get("/v1/contacts").json()["data"]
    assert list(contact) == [
        "contactId", "firstName", "lastName", "email", "isDeliverable", "associations",
    ]  # fmt: skip
    (market,), (default,) = contact["associations"], other["associations"]
    assert market["businessRoles"] == ["Finance Manager"]
    assert list(market) == [
        "downstreamEntityId", "businessRoles", "isPrimary", "downstreamEntityAssociationId",
    ]  # fmt: skip
    assert list(default) == ["downstreamEntityId", "businessRoles", "isPrimary"]


def test_another_carriers_contact_is_never_seen(caller: Client) -> None:
    """Not in the list, and a 404 by its id."""
    agency = caller.sandbox.associations.add()
    hidden = caller.sandbox.contacts.add(
        downstream_entity_association_id=agency.id,
        email="not@ours.example",
        visibility="another carrier",
    )
    assert hidden.id not in [row["contactId"] for row in caller.get("/v1/contacts").json()["data"]]
    assert refusal(caller.get(f"/v1/contacts/{hidden.id}")) == (
        404,
        "not_found",
        ["Contact not found"],
    )


def test_the_filters_can_be_combined(caller: Client) -> None:
    """A role counts at the agency in the query only."""
    one = caller.sandbox.associations.add(email="one@a.example")
    two = caller.sandbox.associations.add(email="two@b.example")
    add, same = caller.sandbox.contacts.add, "x@c.example"
    add(downstream_entity_association_id=one.id, email=same, business_roles=["Finance Manager"])
    add(downstream_entity_association_id=two.id, email=same, business_roles=["Support Staff"])
    at, role = f"downstreamEntityAssociationId={one.id}", "businessRole=Finance%20Manager"

    def emails(query: str) -> list[str]:
        return [row["email"] for row in caller.get(f"/v1/contacts?{query}").json()["data"]]

    assert emails(at) == ["one@a.example", "x@c.example"]
    assert emails(role) == ["x@c.example"]
    assert emails(f"{at}&{role}") == ["x@c.example"]
    assert emails(f"{at}&businessRole=Support%20Staff") == []
    assert emails("downstreamEntityAssociationId=000000000000000000000000") == []


def test_people_go_with_their_association() -> None:
    """So do its documents and its coverage; its agents stay, without it."""
    sandbox = Sandbox()
    agency = sandbox.associations.add()
    agent = sandbox.agents.add(downstream_entity_association_id=agency.id)
    sandbox.documents.add(downstream_entity_association_id=agency.id)
    sandbox.coverages.add(downstream_entity_association_id=agency.id)
    sandbox.associations.remove(agency)
    assert [len(part) for part in (sandbox.contacts, sandbox.documents, sandbox.coverages)] == [
        0,
        0,
        0,
    ]
    assert agent.association_ids == agent.agent.downstream_entity_agent_association_ids == []


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"visibilty": "agency"}, "did you mean 'visibility'"),
        ({"visibility": "everybody"}, "there are 'market'"),
        ({"downstream_entity_association_id": "x"}, "add it first"),
        ({"business_roles": ["Boss"]}, "business_roles"),
    ],
)
def test_an_invalid_contact_is_not_added(members: dict[str, object], message: str) -> None:
    """The message says why, and the contact is not kept."""
    sandbox = Sandbox()
    known = {"downstream_entity_association_id": sandbox.associations.add().id}
    with pytest.raises(RecordError, match=message):
        sandbox.contacts.add(**known | members)  # type: ignore[arg-type] # the point
    assert len(sandbox.contacts) == 1
