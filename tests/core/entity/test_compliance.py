"""Compliance: what licenses, appointments and coverage amount to, as the API shows it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from doubles.sandbox_client import NOW, Client, refusal

from pytest_turris.core.resources.record import RecordError
from pytest_turris.core.sandbox import Sandbox

DAY = dt.timedelta(days=1)
NOBODY = "000000000000000000000000"


def state_of(caller: Client, product_id: str, path: str, state: str = "CA") -> dict[str, Any]:
    """The only state in a compliance response."""
    query = f"stateCode={state}&productId={product_id}"
    data = caller.get(f"{path}/license-compliance-statuses?{query}").json()["data"]
    assert list(data) == ["productName", "states"]
    (found,) = data["states"]
    return dict(found)


def test_a_license_and_an_appointment_make_an_agent_compliant(caller: Client) -> None:
    """Both statuses follow from what NIPR knows, with the names that webhooks use."""
    sandbox = caller.sandbox
    product, agent = sandbox.products.add(), sandbox.agents.add()
    path = f"/v1/agents/{agent.id}"
    assert state_of(caller, product.id, path) == {
        "stateCode": "CA",
        "complianceStatus": "NOT_COMPLIANT",
        "licenseStatus": {
            "statusName": "Missing License",
            "statusMessages": ["Required license class not found"],
        },
        "appointmentStatus": {
            "statusName": "Missing Carrier",
            "statusMessages": ["No active appointment with required carrier"],
        },
    }
    sandbox.licenses.add(npn=agent.npn)
    sandbox.appointments.add(npn=agent.npn)
    assert state_of(caller, product.id, path) == {
        "stateCode": "CA",
        "complianceStatus": "COMPLIANT",
        "licenseStatus": {"statusName": "Licensed"},
        "appointmentStatus": {"statusName": "Appointed"},
    }


@pytest.mark.parametrize(
    ("license_members", "product_members", "name"),
    [
        ({"state_code": "NY"}, {}, "Missing License"),
        ({"license_class_code": "L"}, {}, "Missing License"),
        ({"status": "revoked"}, {}, "Missing License"),
        ({"expiration_date": NOW}, {}, "Expired License"),
        ({"expiration_date": NOW + DAY}, {}, "Licensed"),
        ({}, {"required_line_of_authority_codes": ["C"]}, "Missing LOA"),
        ({"license_class_code": "L"}, {"required_license_class_codes": []}, "Licensed"),
    ],
)
def test_what_a_license_has_to_be(
    caller: Client, license_members: dict[str, Any], product_members: dict[str, Any], name: str
) -> None:
    """State, class, status, date and lines of authority all count."""
    sandbox = caller.sandbox
    product = sandbox.products.add(**product_members)
    agency = sandbox.associations.add()
    sandbox.licenses.add(**{"npn": agency.npn} | license_members)
    path = f"/v1/downstream-entity-associations/{agency.id}"
    assert state_of(caller, product.id, path)["licenseStatus"]["statusName"] == name


def test_a_license_expires_by_time_travel(caller: Client) -> None:
    """At its expiration date the status changes, the list shows it, and an event is logged."""
    sandbox = caller.sandbox
    product = sandbox.products.add(required_company_code=None)
    agency = sandbox.associations.add()
    sandbox.licenses.add(npn=agency.npn or "", license_number="7", expiration_date=NOW + DAY)
    path = f"/v1/downstream-entity-associations/{agency.id}"
    assert state_of(caller, product.id, path)["complianceStatus"] == "COMPLIANT"
    seen = len(sandbox.events)
    sandbox.clock.advance(days=2)
    caller.token()
    found = state_of(caller, product.id, path)
    assert found["licenseStatus"] == {
        "statusName": "Expired License",
        "statusMessages": ["License 7 expired on 2025-03-18"],
    }
    assert [row["status"] for row in caller.get(f"{path}/licenses").json()["data"]] == ["expired"]
    (event,) = sandbox.events.since(seen)
    assert (event.kind, event.at) == ("DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE", NOW + DAY)
    assert (event.facts["was"], event.facts["state"]) == ("COMPLIANT", found)


def test_an_appointment_stays_after_its_renewal_date(caller: Client) -> None:
    """Only its status ends it, as the fidelity table says; no page says what its date does."""
    sandbox = caller.sandbox
    product, agent = sandbox.products.add(), sandbox.agents.add()
    sandbox.appointments.add(npn=agent.npn, renewal_date=NOW + DAY)
    sandbox.clock.advance(days=2)
    caller.token()
    found = state_of(caller, product.id, f"/v1/agents/{agent.id}")
    assert found["appointmentStatus"] == {"statusName": "Appointed"}


def test_a_state_alone(caller_with: Callable[..., Client]) -> None:
    """The page's sample shows only the state code: an option."""
    caller = caller_with(compliance_states="state_code")
    product, agent = caller.sandbox.products.add(), caller.sandbox.agents.add()
    assert state_of(caller, product.id, f"/v1/agents/{agent.id}") == {"stateCode": "CA"}


def test_a_product_that_is_not_sold_there_has_no_states(caller: Client) -> None:
    """There is nothing to comply with."""
    product = caller.sandbox.products.add(states=["NY"])
    agent = caller.sandbox.agents.add()
    query = f"stateCode=CA&productId={product.id}"
    answer = caller.get(f"/v1/agents/{agent.id}/license-compliance-statuses?{query}")
    assert answer.json()["data"] == {"productName": "Property & Casualty", "states": []}


def test_both_parameters_are_required_and_both_are_named(caller: Client) -> None:
    """All failed rules are reported at once."""
    agent = caller.sandbox.agents.add()
    status, kind, messages = refusal(
        caller.get(f"/v1/agents/{agent.id}/license-compliance-statuses")
    )
    assert (status, kind) == (400, "invalid_input")
    assert messages == ["Field 'stateCode' is required", "Field 'productId' is required"]


def test_an_unknown_product_is_not_found(caller: Client) -> None:
    """As the resource, and as a parameter."""
    agent = caller.sandbox.agents.add()
    query = f"stateCode=CA&productId={NOBODY}"
    for path in (f"/v1/products/{NOBODY}", f"/v1/agents/{agent.id}/license-compliance-statuses"):
        assert refusal(caller.get(f"{path}?{query}"))[2] == ["Product not found"]


def test_a_product_shows_its_name_only(caller: Client) -> None:
    """Its requirements are internal to the sandbox."""
    product = caller.sandbox.products.add(name="Auto")
    sent = caller.get(f"/v1/products/{product.id}").json()["data"]
    assert list(sent) == ["_id", "name", "createdAt", "updatedAt"]


def test_coverage_follows_its_dates(caller: Client) -> None:
    """Upcoming, active, expired; the policy in force is shown."""
    sandbox = caller.sandbox
    agency = sandbox.associations.add()
    path = f"/v1/downstream-entity-associations/{agency.id}/policy-compliance-statuses"
    assert "eAndO" not in caller.get(path).json()["data"]
    sandbox.coverages.add(
        downstream_entity_association_id=agency.id,
        effective_date=NOW + DAY,
        expiry_date=NOW + 3 * DAY,
    )
    seen = []
    for _ in range(3):
        data = caller.get(path).json()["data"]
        seen.append(data["eAndO"]["collectionStatus"])
        sandbox.clock.advance(days=2)
        caller.token()
    assert seen == ["upcoming", "active", "expired"]
    assert list(data) == [
        "eAndO", "downstreamEntityId", "downstreamEntityName", "downstreamEntityNpn",
    ]  # fmt: skip
    assert len(data["eAndO"]) == 14


def test_a_misspelt_requirement_is_named() -> None:
    """Every ``add`` says which keyword was meant."""
    with pytest.raises(RecordError, match="did you mean 'required_company_code'"):
        Sandbox().products.add(required_company_cod="1")  # type: ignore[call-arg] # the point
