"""Agents: list with filters, get, create; and adding, updating and removing them in a test."""

from collections.abc import Callable
from typing import Any

import pytest
from doubles.sandbox_client import NOW, Client, refusal

from pytest_turris.core.resources.record import RecordError
from pytest_turris.core.sandbox import Sandbox

AGENTS = "/v1/agents"
NOBODY = "000000000000000000000000"
NOT_FOUND = (404, "not_found", ["Agent not found"])
SUBSCRIPTION = [
    "dataOwnerId", "dataOwnerModel", "entityModel", "entityInfo", "npn",
    "lastSynchronizationDate", "pdbAlertsSubscriptionStatus", "pdbAlertsPausedAt",
]  # fmt: skip


def npns(caller: Client, query: str = "") -> list[str]:
    """The NPNs of the agents in a list."""
    return [entry["agent"]["npn"] for entry in caller.get(f"{AGENTS}?{query}").json()["data"]]


def test_members_are_in_the_documented_order(caller_with: Callable[..., Client]) -> None:
    """The sample of AgentEntryResponse in the reference, with the association."""
    caller = caller_with(optional_fields="null")
    association = caller.sandbox.associations.add()
    caller.sandbox.agents.add(npn="12345678", downstream_entity_association_id=association.id)
    (entry,) = caller.get(AGENTS).json()["data"]
    assert list(entry) == [
        "agent", "onboardingCategory", "niprDataSubscription", "isUploadedByUpstreamEntity",
        "isDeleted", "isArchived", "authority", "email", "isDeliverable", "externalId",
        "downstreamEntityAssociationId",
    ]  # fmt: skip
    assert list(entry["agent"]) == [
        "_id", "npn", "firstName", "lastName",
        "downstreamEntityAgentAssociationIds", "createdAt", "updatedAt",
    ]  # fmt: skip
    assert list(entry["niprDataSubscription"]) == SUBSCRIPTION
    assert list(entry["niprDataSubscription"]["entityInfo"]) == [
        "status", "jobId", "message", "rawEntityInfoId",
    ]  # fmt: skip


def test_an_agent_as_it_is_sent(caller: Client) -> None:
    """Every member that has a value, with that value."""
    association = caller.sandbox.associations.add()
    added = caller.sandbox.agents.add(
        npn="12345678",
        first_name="Ada",
        middle_name="Q",
        last_name="Lovelace",
        email="ada@example.com",
        external_id="EXT-1",
        downstream_entity_association_id=association.id,
        authority=[
            {
                "upstream_entity_product_id": "507f1f77bcf86cd799439012",
                "requested_states": ["CA", "TX", "NY"],
                "approved_states": ["CA", "TX"],
            }
        ],
    )
    (entry,) = caller.get(AGENTS).json()["data"]
    subscription = entry.pop("niprDataSubscription")
    links = entry["agent"].pop("downstreamEntityAgentAssociationIds")
    assert len(links) == 1
    assert entry == {
        "agent": {
            "_id": added.id,
            "npn": "12345678",
            "firstName": "Ada",
            "middleName": "Q",
            "lastName": "Lovelace",
            "createdAt": "2025-03-17T10:15:45.000Z",
            "updatedAt": "2025-03-17T10:15:45.000Z",
        },
        "onboardingCategory": "addition",
        "isUploadedByUpstreamEntity": True,
        "isDeleted": False,
        "isArchived": False,
        "authority": [
            {
                "upstreamEntityProductId": "507f1f77bcf86cd799439012",
                "requestedStates": ["CA", "TX", "NY"],
                "approvedStates": ["CA", "TX"],
            }
        ],
        "email": "ada@example.com",
        "isDeliverable": True,
        "externalId": "EXT-1",
        "downstreamEntityAssociationId": association.id,
    }
    assert subscription["npn"] == "12345678"
    assert subscription["dataOwnerId"] == caller.sandbox.upstream_entity_id
    assert subscription["lastSynchronizationDate"] == "2025-03-17T10:15:45.000Z"


def test_an_empty_sandbox_lists_nothing(caller: Client) -> None:
    """A sandbox has only what a test added."""
    assert caller.get(AGENTS).json()["data"] == []


def test_a_created_agent_is_listed_and_found(caller: Client) -> None:
    """The answer of POST, the list and the item are the same document."""
    response = caller.post(AGENTS, {"npn": "12345678", "email": "ada@example.com"})
    assert response.status == 201
    created = response.json()["data"]
    assert caller.get(AGENTS).json()["data"] == [created]
    assert caller.get(f"{AGENTS}/{created['agent']['_id']}").json()["data"] == created


def test_a_created_agent_may_have_an_association_and_a_middle_name(caller: Client) -> None:
    """The optional members of the body."""
    association = caller.sandbox.associations.add()
    document = {
        "npn": "1",
        "middleName": "Quentin",
        "downstreamEntityAssociationId": association.id,
    }
    created = caller.post(AGENTS, document).json()["data"]
    assert created["agent"]["middleName"] == "Quentin"
    assert created["downstreamEntityAssociationId"] == association.id


def test_an_unknown_association_is_a_404(caller: Client) -> None:
    """No agent is created for an association that does not exist."""
    document = {"npn": "1", "downstreamEntityAssociationId": NOBODY}
    assert refusal(caller.post(AGENTS, document)) == (
        404,
        "not_found",
        ["Downstream entity association not found"],
    )
    assert len(caller.sandbox.agents) == 0


def test_a_known_npn_joins_the_same_agent(caller: Client) -> None:
    """A second creation adds its association to the one agent (assumed), and names it."""
    first = caller.sandbox.associations.add()
    second = caller.sandbox.associations.add()
    caller.post(AGENTS, {"npn": "1"})
    ids = []
    for association in (first, second, second):
        document = {"npn": "1", "downstreamEntityAssociationId": association.id}
        created = caller.post(AGENTS, document).json()["data"]
        ids.append(len(created["agent"]["downstreamEntityAgentAssociationIds"]))
        assert created["downstreamEntityAssociationId"] == association.id
    assert ids == [1, 2, 2]
    assert npns(caller, f"downstreamEntityAssociationId={second.id}") == ["1"]
    assert len(caller.sandbox.agents) == 1


def test_filters_by_npn(caller: Client) -> None:
    """The whole NPN has to match."""
    for npn in ("1", "12", "2"):
        caller.sandbox.agents.add(npn=npn)
    assert npns(caller, "npn=1") == ["1"]
    assert npns(caller, "npn=3") == []


def test_filters_by_association(caller: Client) -> None:
    """Only the agents of that agency; an unknown agency has none."""
    association = caller.sandbox.associations.add()
    caller.sandbox.agents.add(npn="1", downstream_entity_association_id=association.id)
    caller.sandbox.agents.add(npn="2")
    assert npns(caller, f"downstreamEntityAssociationId={association.id}") == ["1"]
    assert npns(caller, f"downstreamEntityAssociationId={NOBODY}") == []


def test_filters_by_license(caller: Client) -> None:
    """Number and state together name the holder."""
    caller.sandbox.agents.add(npn="1")
    caller.sandbox.agents.add(npn="2")
    caller.sandbox.licenses.add(npn="1", license_number="A1", state_code="CA")
    caller.sandbox.licenses.add(npn="2", license_number="A1", state_code="TX")
    assert npns(caller, "licenseNumber=A1&stateCode=CA") == ["1"]
    assert npns(caller, "licenseNumber=A2&stateCode=CA") == []


def test_filters_add_up(caller: Client) -> None:
    """An agent has to match the association and the NPN."""
    association = caller.sandbox.associations.add()
    caller.sandbox.agents.add(npn="1", downstream_entity_association_id=association.id)
    caller.sandbox.agents.add(npn="2")
    assert npns(caller, f"npn=1&downstreamEntityAssociationId={association.id}") == ["1"]
    assert npns(caller, f"npn=2&downstreamEntityAssociationId={association.id}") == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "npn=1&licenseNumber=A1&stateCode=CA",
            "npn is mutually exclusive with licenseNumber/stateCode",
        ),
        ("licenseNumber=A1", "licenseNumber and stateCode must be provided together"),
        ("stateCode=CA", "licenseNumber and stateCode must be provided together"),
        ("downstreamEntityAssociationId=x", "downstreamEntityAssociationId must be a mongodb id"),
    ],
)
def test_filters_exclude_and_need_one_another(caller: Client, query: str, message: str) -> None:
    """The documented rules between parameters."""
    status, error_type, messages = refusal(caller.get(f"{AGENTS}?{query}"))
    assert (status, error_type) == (400, "invalid_input")
    assert message in messages


def test_an_exclusion_is_the_only_message_about_a_license_without_its_state(
    caller: Client,
) -> None:
    """That license number and state belong together is only said where they are allowed."""
    excluded = ["npn is mutually exclusive with licenseNumber/stateCode"]
    for query in ("npn=1&licenseNumber=1", "npn=1&stateCode=CA"):
        assert refusal(caller.get(f"{AGENTS}?{query}"))[2] == excluded


def test_a_state_is_one_of_the_states(caller: Client) -> None:
    """An unknown code is refused; the message lists the known ones."""
    status, _, messages = refusal(caller.get(f"{AGENTS}?licenseNumber=1&stateCode=XX"))
    assert status == 400
    assert messages[0].startswith("stateCode must be one of the following values: AL, AK, AZ, AR")


@pytest.mark.parametrize("agent_id", [NOBODY, "x", "..", "%2e%2e", "%00", "é"])
def test_an_unknown_agent_is_a_404(caller: Client, agent_id: str) -> None:
    """Any unknown id, of whatever form, is a 404."""
    assert refusal(caller.get(f"{AGENTS}/{agent_id}")) == NOT_FOUND


def test_an_agent_is_found_at_its_agency_only(caller: Client) -> None:
    """The producer code or association in the query must be the agent's."""
    association = caller.sandbox.associations.add(producer_code="PROD-001")
    other = caller.sandbox.associations.add(producer_code="PROD-002")
    agent = caller.sandbox.agents.add(downstream_entity_association_id=association.id)
    path = f"{AGENTS}/{agent.id}"
    assert caller.get(f"{path}?producerCode=PROD-001").status == 200
    assert caller.get(f"{path}?downstreamEntityAssociationId={association.id}").status == 200
    assert refusal(caller.get(f"{path}?producerCode=PROD-002")) == NOT_FOUND
    assert refusal(caller.get(f"{path}?producerCode=none")) == NOT_FOUND
    assert refusal(caller.get(f"{path}?downstreamEntityAssociationId={other.id}")) == NOT_FOUND


def test_one_agency_of_an_agent_has_both_the_id_and_the_producer_code(caller: Client) -> None:
    """The agent is at both agencies, but neither has the code of the one and the other's id."""
    associations, agents = caller.sandbox.associations, caller.sandbox.agents
    one, other = (associations.add(producer_code=code) for code in ("P1", "P2"))
    agent = agents.add(downstream_entity_association_id=one.id)
    agents.update(agent, downstream_entity_association_id=other.id)
    path = f"{AGENTS}/{agent.id}?producerCode=P2&downstreamEntityAssociationId="
    assert refusal(caller.get(path + one.id)) == NOT_FOUND
    shown = caller.get(path + other.id).json()["data"]
    assert shown["downstreamEntityAssociationId"] == other.id


def test_each_agency_with_a_producer_code_is_looked_at(caller: Client) -> None:
    """The deprecated variants do not check that a code is unique."""
    for _ in range(2):
        agency = caller.sandbox.associations.add(producer_code="P1")
    agent = caller.sandbox.agents.add(downstream_entity_association_id=agency.id)
    shown = caller.get(f"{AGENTS}/{agent.id}?producerCode=P1").json()["data"]
    assert shown["downstreamEntityAssociationId"] == agency.id


def test_missing_members_get_default_values(sandbox: Sandbox) -> None:
    """An agent always has an NPN and names; they repeat for the same seed."""
    entry = sandbox.agents.add()
    assert (len(entry.npn), entry.npn.isdigit()) == (8, True)
    assert entry.agent.first_name.isalpha()
    assert entry == Sandbox().agents.add()
    assert entry.agent.created_at == NOW


def test_get_find_and_remove(sandbox: Sandbox) -> None:
    """``get`` raises where ``find`` returns None; ``remove`` takes the agent or its id."""
    one, other = sandbox.agents.add(npn="1"), sandbox.agents.add(npn="2")
    assert sandbox.agents.get(one.id) is sandbox.agents.find(one.id) is one
    sandbox.agents.remove(one)
    sandbox.agents.remove(other.id)
    assert (len(sandbox.agents), list(sandbox.agents)) == (0, [])
    assert sandbox.agents.find(one.id) is None
    with pytest.raises(KeyError, match=f"no AgentEntry with id '{one.id}'"):
        sandbox.agents.get(one.id)
    with pytest.raises(KeyError, match="no AgentEntry"):
        sandbox.agents.remove(one)


def test_an_update_is_seen_by_clients(caller: Client) -> None:
    """``update`` changes the API's answers and the collection of the test."""
    entry = caller.sandbox.agents.add(npn="1")
    caller.sandbox.agents.update(entry, email="new@example.com", is_archived=True)
    (shown,) = caller.get(AGENTS).json()["data"]
    assert (shown["email"], shown["isArchived"]) == ("new@example.com", True)
    assert (entry.email, entry.is_archived) == ("new@example.com", True)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"is_archived": True, "email": "wrong"}, "AgentEntry: email: must be an email"),
        ({"is_archived": True, "emial": "a@example.com"}, "did you mean 'email'?"),
        ({"is_archived": True, "qqq": 1}, "has no member 'qqq'"),
        ({"is_archived": True, "agent": None}, "AgentEntry: agent: "),
    ],
)
def test_an_update_is_all_or_nothing(
    sandbox: Sandbox, members: dict[str, Any], message: str
) -> None:
    """One invalid member leaves all unchanged; the message names it."""
    entry = sandbox.agents.add(npn="1", email="old@example.com")
    before = entry.model_dump()
    with pytest.raises(RecordError) as caught:
        sandbox.agents.update(entry, **members)
    assert message in str(caught.value)
    assert entry.model_dump() == before


def test_a_record_keeps_its_id(sandbox: Sandbox) -> None:
    """An update that would change the id is refused."""
    entry = sandbox.agents.add(npn="1")
    agent = entry.agent.model_dump() | {"id": NOBODY}
    with pytest.raises(RecordError, match="AgentEntry: the id of a record does not change"):
        sandbox.agents.update(entry, agent=agent)
    assert sandbox.agents.get(entry.id) is entry


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"npn": 12345678}, "agent.npn: Input should be a valid string"),
        ({"email": "wrong"}, "email: must be an email"),
        ({"downstream_entity_association_id": NOBODY}, f"no association with id '{NOBODY}'"),
        ({"authority": [{}]}, "upstreamEntityProductId: Field required"),
    ],
)
def test_an_invalid_agent_is_not_added(
    sandbox: Sandbox, members: dict[str, Any], message: str
) -> None:
    """An invalid value raises where the test passes it; the message names the member."""
    with pytest.raises(RecordError) as caught:
        sandbox.agents.add(**members)
    assert message in str(caught.value)
    assert len(sandbox.agents) == 0
