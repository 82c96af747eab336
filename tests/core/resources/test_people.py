"""Contacts are people: one e-mail address is one person, with one entry for each agency."""

from typing import Any

import pytest
from doubles.sandbox_client import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_turris.core.resources.associations import Association
from pytest_turris.core.resources.record import RecordError
from pytest_turris.core.sandbox import Sandbox


def contacts_at(caller: Client, association: Association) -> list[dict[str, Any]]:
    """What the API lists for an agency."""
    path = f"/v1/contacts?downstreamEntityAssociationId={association.id}"
    return list(caller.get(path).json()["data"])


def test_agencies_added_without_an_address_share_no_person(caller: Client) -> None:
    """A change at one leaves the other as it is."""
    first, second = (caller.sandbox.associations.add() for _ in "ab")
    caller.sandbox.associations.update(second, email="new@b.example")
    assert [one["email"] for one in contacts_at(caller, first)] == [first.email]
    assert [one["email"] for one in contacts_at(caller, second)] == ["new@b.example"]


def test_a_person_at_two_agencies_stays_at_the_other(caller: Client) -> None:
    """When one agency gets another contact."""
    associations = caller.sandbox.associations
    first, second = (associations.add(email="dana@x.example") for _ in "ab")
    associations.update(second, email="new@b.example", first_name="Noor")
    assert [one["email"] for one in contacts_at(caller, first)] == ["dana@x.example"]
    assert [one["firstName"] for one in contacts_at(caller, second)] == ["Noor"]


def test_an_address_that_another_person_has_joins_that_person(caller: Client) -> None:
    """There are never two contacts with one address."""
    associations = caller.sandbox.associations
    first, second = associations.add(email="a@x.example"), associations.add(email="b@x.example")
    associations.update(second, email="A@x.example")
    found = caller.get("/v1/contacts").json()["data"]
    assert [one["email"] for one in found] == ["a@x.example"]
    assert len(found[0]["associations"]) == 2
    assert contacts_at(caller, first) == contacts_at(caller, second)


def test_another_name_is_the_same_person(caller: Client) -> None:
    """The address stays, so the contact does."""
    association = caller.sandbox.associations.add()
    (before,) = contacts_at(caller, association)
    caller.sandbox.associations.update(association, last_name="Li")
    (after,) = contacts_at(caller, association)
    assert (after["contactId"], after["lastName"]) == (before["contactId"], "Li")


def test_one_entry_covers_both_relationships_to_an_agency(caller: Client) -> None:
    """The market-specific one and the agency-wide one; the roles of both are listed."""
    association = caller.sandbox.associations.add()
    for role, visibility in (("Account Manager", "market"), ("Support Staff", "agency")):
        contact = caller.sandbox.contacts.add(
            downstream_entity_association_id=association.id,
            email="k@x.example",
            business_roles=[role],  # type: ignore[list-item]  # two of the roles
            visibility=visibility,  # type: ignore[arg-type]  # two of them
        )
    (entry,) = contact.associations
    assert entry.business_roles == ["Account Manager", "Support Staff"]
    assert entry.downstream_entity_association_id == association.id
    assert contact in caller.sandbox.contacts.at(association)


def test_contacts_added_without_an_address_are_several_people(sandbox: Sandbox) -> None:
    """Each has an address of its own."""
    association = sandbox.associations.add()
    for _ in "ab":
        sandbox.contacts.add(downstream_entity_association_id=association.id)
    assert len(sandbox.contacts) == 3


def test_an_agency_has_one_primary_contact(sandbox: Sandbox) -> None:
    """Another one is refused; the words say how it is changed."""
    association = sandbox.associations.add()
    with pytest.raises(RecordError, match=r"has a primary contact, dana\.lee@.*associations\.up"):
        sandbox.contacts.add(downstream_entity_association_id=association.id, is_primary=True)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "change", "join", "remove"]), st.integers(0, 3), st.integers(0, 3)
    ),
    max_size=12,
)


@given(STEPS)
@settings(max_examples=40, deadline=None)
def test_a_contact_is_one_person_whatever_happens(steps: list[tuple[str, int, int]]) -> None:
    """Addresses are unique, each agency has one entry for a person, and has its primary contact."""
    sandbox = Sandbox()
    for step, which, address in steps:
        email = f"person{address}@x.example"
        known = list(sandbox.associations)
        if step == "add" or not known:
            sandbox.associations.add(email=email, is_npn_required=False)
            continue
        association = known[which % len(known)]
        if step == "change":
            sandbox.associations.update(association, email=email)
        elif step == "join":
            sandbox.contacts.add(
                downstream_entity_association_id=association.id,
                email=email,
                visibility=("market", "agency", "another carrier")[which % 3],
            )
        else:
            sandbox.associations.remove(association)
    emails = [contact.email.lower() for contact in sandbox.contacts]
    assert len(emails) == len(set(emails))
    for contact in sandbox.contacts:
        agencies = [entry.downstream_entity_id for entry in contact.associations]
        assert len(agencies) == len(set(agencies))
    for association in sandbox.associations:
        primary = [
            contact.email.lower()
            for contact in sandbox.contacts.at(association)
            for entry in contact.associations
            if entry.is_primary and entry.downstream_entity_id == association.downstream_entity.id
        ]
        assert primary == [association.email.lower()]
