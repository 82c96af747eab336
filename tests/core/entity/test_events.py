"""The event log: what is logged, when, and in which order."""

import datetime as dt

from doubles.sandbox_client import NOW, Client

from pytest_turris.core.sandbox import Sandbox

DAY = dt.timedelta(days=1)


def agency(sandbox: Sandbox) -> str:
    """Add an agency, whose own compliance no license changes, and give its id."""
    return sandbox.associations.add(is_npn_required=False).id


def compliant(sandbox: Sandbox, expires: dt.datetime) -> str:
    """Add a compliant agent at an agency, and give its NPN."""
    agent = sandbox.agents.add(downstream_entity_association_id=agency(sandbox))
    sandbox.licenses.add(npn=agent.npn, expiration_date=expires)
    sandbox.appointments.add(npn=agent.npn)
    return agent.npn


def test_what_became_due_is_logged_in_order(sandbox: Sandbox) -> None:
    """After one jump of the clock each event has its own moment."""
    sandbox.products.add(states=["CA"])
    late, early = compliant(sandbox, NOW + 3 * DAY), compliant(sandbox, NOW + DAY)
    seen = len(sandbox.events)
    sandbox.clock.advance(days=30)
    turned = sandbox.events.since(seen)
    assert [(event.facts["npn"], event.at) for event in turned] == [
        (early, NOW + DAY),
        (late, NOW + 3 * DAY),
    ]
    assert [event.number for event in sandbox.events] == [*range(1, len(sandbox.events) + 1)]


def test_a_renewal_before_the_expiry_makes_no_event(sandbox: Sandbox) -> None:
    """No status changes."""
    sandbox.products.add(states=["CA"])
    compliant(sandbox, NOW + DAY)
    (held,) = sandbox.licenses
    seen = len(sandbox.events)
    sandbox.licenses.update(held, expiration_date=NOW + 400 * DAY)
    sandbox.clock.advance(days=30)
    assert sandbox.events.since(seen) == ()


def test_a_renewal_after_the_expiry_makes_two(sandbox: Sandbox) -> None:
    """What became due before the change is logged first, without a call in between."""
    sandbox.products.add(states=["CA"])
    compliant(sandbox, NOW + DAY)
    (held,) = sandbox.licenses
    seen = len(sandbox.events)
    sandbox.clock.advance(days=2)
    sandbox.licenses.update(held, expiration_date=NOW + 400 * DAY)
    words = [event.facts["state"]["complianceStatus"] for event in sandbox.events.since(seen)]
    assert words == ["NOT_COMPLIANT", "COMPLIANT"]


def test_an_agent_is_watched_in_its_authority(sandbox: Sandbox) -> None:
    """In the requested and approved states, or in all of the product's."""
    product = sandbox.products.add(states=["CA", "NY"], required_company_code=None)
    authority = {
        "upstream_entity_product_id": product.id,
        "requested_states": ["NY"],
        "approved_states": [],
    }
    place = agency(sandbox)
    sandbox.agents.add(npn="1", authority=[authority], downstream_entity_association_id=place)
    sandbox.agents.add(npn="2", downstream_entity_association_id=place)
    for npn in ("1", "2"):
        sandbox.licenses.add(npn=npn, state_code="CA")
    (event,) = sandbox.events.of("AGENT_COMPLIANCE_STATUS_CHANGE")
    assert event.facts["npn"] == "2"


def test_going_back_in_time_is_no_event(sandbox: Sandbox) -> None:
    """What lies ahead becomes due once more."""
    sandbox.products.add(states=["CA"])
    compliant(sandbox, NOW + DAY)
    for _ in range(2):
        seen = len(sandbox.events)
        sandbox.clock.advance(days=2)
        assert len(sandbox.events.since(seen)) == 1
        sandbox.clock.move_to(NOW)
        sandbox.settle()
    assert len(sandbox.events.since(seen)) == 1


def test_the_first_fetch_of_a_created_agent_is_logged_once(caller: Client) -> None:
    """When it is done (documented: an initial NIPR data fetch completes)."""
    for _ in range(2):
        caller.post("/v1/agents", {"npn": "1"})
    assert len(caller.sandbox.events) == 0
    caller.sandbox.clock.advance(minutes=2)
    (event,) = caller.sandbox.events
    assert event.facts["synchronizationStatus"] == "success"


def test_the_log_survives_a_snapshot(sandbox: Sandbox) -> None:
    """And what is due remains due."""
    sandbox.products.add(states=["CA"])
    compliant(sandbox, NOW + DAY)
    other = Sandbox()
    other.restore(sandbox.snapshot())
    assert list(other.events) == list(sandbox.events)
    for one in (sandbox, other):
        one.clock.advance(days=2)
    assert list(other.events) == list(sandbox.events)
    assert len(other.events) == 3


def test_a_stricter_product_changes_compliance(sandbox: Sandbox) -> None:
    """A change of what a product requires, in all its states or in one, is an event."""
    agent = sandbox.agents.add(downstream_entity_association_id=agency(sandbox))
    sandbox.licenses.add(npn=agent.npn, state_code="CA")
    product = sandbox.products.add(states=["CA"], required_company_code=None)
    sandbox.products.update(product, required_line_of_authority_codes=["C"])
    assert sandbox.events[-1].facts["state"]["licenseStatus"]["statusName"] == "Missing LOA"
    sandbox.products.update(product, state_requirements={"CA": {"license_class_codes": ["L"]}})
    assert sandbox.events[-1].facts["state"]["licenseStatus"]["statusName"] == "Missing License"


def turned(sandbox: Sandbox, seen: int) -> list[tuple[str, str, str, str]]:
    """Of each event from a number on: the kind of producer, the state, and what it was and is."""
    return [
        (event.kind[:5], state["stateCode"], event.facts["was"], state["complianceStatus"])
        for event in sandbox.events.since(seen)
        for state in [event.facts["state"]]
    ]


def test_a_product_that_comes_to_a_state_or_leaves_one_is_an_event(sandbox: Sandbox) -> None:
    """Where it is not sold it requires nothing; agents and agencies hear of the requirements."""
    sandbox.agents.add(downstream_entity_association_id=agency(sandbox))
    ok, missing = "COMPLIANT", "NOT_COMPLIANT"
    product = sandbox.products.add(states=["CA"])
    assert turned(sandbox, 0) == [("AGENT", "CA", ok, missing), ("DOWNS", "CA", ok, missing)]
    seen = len(sandbox.events)
    product = sandbox.products.update(product, states=["CA", "NY"])
    assert turned(sandbox, seen) == [("AGENT", "NY", ok, missing), ("DOWNS", "NY", ok, missing)]
    seen = len(sandbox.events)
    product = sandbox.products.update(product, states=["NY"])
    assert turned(sandbox, seen) == [("AGENT", "CA", missing, ok), ("DOWNS", "CA", missing, ok)]
    state = sandbox.events[-1].facts["state"]
    assert state["licenseStatus"] == state["appointmentStatus"] == {"statusName": "Not Required"}
    seen = len(sandbox.events)
    sandbox.products.remove(product)
    assert turned(sandbox, seen) == [("AGENT", "NY", missing, ok), ("DOWNS", "NY", missing, ok)]


def test_a_product_says_nothing_of_those_whom_it_does_not_concern(sandbox: Sandbox) -> None:
    """An agent whose authority is for other states, or who is deleted, is in no event of it."""
    product, place = sandbox.products.add(states=["CA"]), agency(sandbox)
    authority = {
        "upstream_entity_product_id": product.id,
        "requested_states": ["CA"],
        "approved_states": [],
    }
    sandbox.agents.add(authority=[authority], downstream_entity_association_id=place)
    sandbox.agents.add(is_deleted=True, downstream_entity_association_id=place)
    sandbox.products.update(product, states=["CA", "NY"])
    assert sandbox.events.of("AGENT_COMPLIANCE_STATUS_CHANGE") == ()


def test_a_fetch_for_a_replaced_npn_is_dropped(caller: Client) -> None:
    """A new NPN has a subscription of its own: the queued fetch of the old one has no effect."""
    sandbox = caller.sandbox
    agent = sandbox.agents.add(npn="1")
    caller.post(f"/v1/agents/{agent.id}/sync", {})
    sandbox.agents.update(agent, npn="2")
    sandbox.clock.advance(days=1)
    assert [event.facts["npn"] for event in sandbox.events] == ["2"]


def test_an_agent_without_an_agency_is_in_no_event(sandbox: Sandbox) -> None:
    """An entry names the agency of the agent, as a string (documented)."""
    sandbox.products.add(states=["CA"], required_company_code=None)
    agent = sandbox.agents.add()
    sandbox.licenses.add(npn=agent.npn, state_code="CA")
    assert len(sandbox.events) == 0


def test_an_agent_at_two_agencies_is_in_an_event_for_each(sandbox: Sandbox) -> None:
    """Each agency has an entry of its own."""
    sandbox.products.add(states=["CA"], required_company_code=None)
    places = [agency(sandbox), agency(sandbox)]
    for place in places:
        agent = sandbox.agents.add(npn="7", downstream_entity_association_id=place)
    sandbox.licenses.add(npn=agent.npn, state_code="CA")
    assert [event.facts["downstreamEntityAssociationId"] for event in sandbox.events] == places
