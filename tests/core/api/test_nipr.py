"""NIPR data: syncs, licenses, appointments, regulatory actions, surplus lines."""

import datetime as dt
from collections.abc import Callable

import pytest
from doubles.sandbox_client import NOW, Client, refusal

CallerWith = Callable[..., Client]
DEA = "/v1/downstream-entity-associations"


def test_a_sync_is_queued_then_done(caller: Client) -> None:
    """A finished sync moves the date of the last synchronisation and emits an event."""
    sandbox = caller.sandbox
    agent = sandbox.agents.add()
    sandbox.clock.advance(minutes=10)
    answer = caller.post(f"/v1/agents/{agent.id}/sync", {})
    assert (answer.status, answer.body) == (201, b"")
    assert agent.nipr_data_subscription is not None
    path = f"/v1/compliance-data-subscriptions/{agent.nipr_data_subscription.id}"
    queued = caller.get(path).json()["data"]
    assert queued["entityInfo"]["status"] == "queued"
    assert queued["lastSynchronizationDate"] == "2025-03-17T10:15:45.000Z"
    seen = len(sandbox.events)
    sandbox.clock.advance(minutes=5)
    done = caller.get(path).json()["data"]
    assert done["entityInfo"]["status"] == "success"
    assert done["lastSynchronizationDate"] == "2025-03-17T10:27:45.000Z"
    (event,) = sandbox.events.since(seen)
    assert event.at == NOW + dt.timedelta(minutes=12)
    assert event.facts == {
        "entityType": "Agent",
        "npn": agent.npn,
        "synchronizationStatus": "success",
        "niprDataSubscriptionId": queued["_id"],
    }


@pytest.mark.parametrize("state", ["never synchronised again", "paused", "failed"])
def test_what_nipr_has_shows_without_a_sync(caller_with: CallerWith, state: str) -> None:
    """As if every change came with an alert; only the date of the last sync waits for one."""
    caller = caller_with(sync_outcome="failed")
    associations = caller.sandbox.associations
    agency = associations.add(downstream_entity_npn="8")
    first = agency.nipr_data_subscription
    assert first is not None
    if state == "paused":
        alerts = dict(first) | {"pdb_alerts_subscription_status": "paused"}
        associations.update(agency, nipr_data_subscription=alerts)
    if state == "failed":
        caller.post(f"{DEA}/{agency.id}/sync", {})
    caller.sandbox.clock.advance(minutes=10)
    caller.sandbox.licenses.add(npn="8")
    assert len(caller.get(f"{DEA}/{agency.id}/licenses").json()["data"]) == 1
    now = associations.get(agency.id).nipr_data_subscription
    assert now is not None
    assert now.last_synchronization_date == NOW
    assert now.entity_info.status == ("failed" if state == "failed" else "success")


def test_a_second_sync_joins_the_queued_one(caller: Client) -> None:
    """One job, one event."""
    agency = caller.sandbox.associations.add()
    for _ in range(2):
        assert caller.post(f"{DEA}/{agency.id}/sync", {}).status == 201
    caller.sandbox.clock.advance(minutes=5)
    assert len(caller.sandbox.events.of("ENTITY_COMPLIANCE_DATA_SYNCHRONIZED")) == 1


def test_an_agency_without_an_npn_cannot_be_synchronised(caller: Client) -> None:
    """There is nothing to fetch."""
    bare = caller.sandbox.associations.add(is_npn_required=False, invited=True)
    with caller.sandbox.expect_refusal(status=400):
        assert refusal(caller.post(f"{DEA}/{bare.id}/sync", {}))[0] == 400


def test_licenses_name_their_subscription(caller: Client) -> None:
    """Members in the documented order; the filters narrow."""
    agency = caller.sandbox.associations.add(downstream_entity_npn="12345678")
    caller.sandbox.licenses.add(npn="12345678", state_code="FL")
    caller.sandbox.licenses.add(npn="12345678", state_code="CA", status="inactive")
    path = f"{DEA}/{agency.id}/licenses"
    first, _ = caller.get(path).json()["data"]
    assert list(first) == [
        "niprDataSubscriptionId", "npn", "stateCode", "licenseNumber", "licenseClassCode",
        "licenseClassName", "status", "residencyStatus", "issueDate", "nextRenewalDate",
        "expirationDate", "linesOfAuthority", "updatedAt",
    ]  # fmt: skip
    assert agency.nipr_data_subscription is not None
    assert first["niprDataSubscriptionId"] == agency.nipr_data_subscription.id
    for query, states in (("status=active", ["FL"]), ("stateCode=CA", ["CA"]), ("status=x", [])):
        assert [row["stateCode"] for row in caller.get(f"{path}?{query}").json()["data"]] == states


@pytest.mark.parametrize("word", ["active", "appointed"])
def test_the_two_words_for_an_active_appointment(
    caller_with: Callable[..., Client], word: str
) -> None:
    """The filter takes both; an option decides which is shown."""
    caller = caller_with(appointment_status=word)
    agent = caller.sandbox.agents.add(npn="12345678")
    agency = caller.sandbox.associations.add(downstream_entity_npn="12345678")
    caller.sandbox.appointments.add(npn="12345678")
    caller.sandbox.appointments.add(npn="12345678", status="terminated")
    for path in (f"/v1/agents/{agent.id}", f"{DEA}/{agency.id}"):
        for wanted in ("active", "appointed"):
            rows = caller.get(f"{path}/appointments?status={wanted}").json()["data"]
            assert [row["status"] for row in rows] == [word]
            assert rows[0].get("agentId") == (agent.id if "agents" in path else None)
        assert len(caller.get(f"{path}/appointments?status=terminated").json()["data"]) == 1


def test_regulatory_actions(caller: Client) -> None:
    """Members in the documented order."""
    agent = caller.sandbox.agents.add()
    caller.sandbox.regulatory_actions.add(npn=agent.npn, file_ref="F-1")
    (row,) = caller.get(f"/v1/agents/{agent.id}/regulatory-actions").json()["data"]
    assert list(row) == [
        "niprDataSubscriptionId", "npn", "stateCode", "actionId", "penaltyFineForfeitureInUSD",
        "lengthOfOrderInDays", "_id", "originOfAction", "reasonForAction", "disposition",
        "dateOfAction", "effectiveDate", "enterDate", "fileRef", "updatedAt", "createdAt",
    ]  # fmt: skip


@pytest.mark.parametrize("fein", ["12-3456789", "123456789"])
def test_surplus_lines_by_fein(caller: Client, fein: str) -> None:
    """With or without its hyphen; the literal path matches before an association's id."""
    agency = caller.sandbox.associations.add(ein="12-3456789", downstream_entity_npn="1")
    caller.sandbox.licenses.add(npn="1", state_code="FL", license_class_name="Surplus Lines")
    caller.sandbox.licenses.add(npn="1", state_code="FL")
    data = caller.get(f"{DEA}/licenses/surplus-lines?fein={fein}&stateCode=FL").json()["data"]
    assert list(data) == ["agencyName", "agencyNpn", "agencyFein", "surplusLinesLicenses"]
    (row,) = data["surplusLinesLicenses"]
    assert data["agencyName"] == agency.downstream_entity.legal_name
    assert not {"expirationDate", "npn", "niprDataSubscriptionId", "updatedAt"} & set(row)


def test_a_malformed_fein_is_refused_unless_dangerously(caller: Client) -> None:
    """The deprecated variant skips that check and finds no agency."""
    path = f"{DEA}/licenses/{{}}surplus-lines?fein=nonsense&stateCode=FL"
    assert caller.get(path.format("")).status == 400
    answer = caller.get(path.format("dangerously-"))
    assert answer.status == 404
    assert dict(answer.headers)["deprecation"] == "true"


@pytest.mark.parametrize("kind", ["licenses", "appointments"])
def test_an_agency_without_an_npn_has_no_nipr_data(caller: Client, kind: str) -> None:
    """NIPR knows agencies by their NPN."""
    bare = caller.sandbox.associations.add(is_npn_required=False, invited=True)
    answer = caller.get(f"{DEA}/{bare.id}/{kind}")
    assert (answer.status, answer.json()["data"]) == (200, [])
