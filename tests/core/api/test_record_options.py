"""The options about records: what each value answers."""

from collections.abc import Callable
from typing import Any

import pytest
from doubles.api_recipes import PDF, form
from doubles.sandbox_client import INVITATION, INVITE, Client, refusal

from pytest_turris.core.api.openapi import document
from pytest_turris.core.api.routes import operations_at
from pytest_turris.core.options import Options
from pytest_turris.core.resources.npns import EntityType
from pytest_turris.core.text.names import as_snake_case

CallerWith = Callable[..., Client]
AGENTS = "/v1/agents"
DEA = "/v1/downstream-entity-associations"
NOBODY = "0" * 24
ADDITION = {
    "firstName": "John", "lastName": "Doe", "email": "j@x.example", "isNpnRequired": True,
    "category": "agency", "downstreamEntityNpn": "800",
}  # fmt: skip


def posted(caller: Client, path: str, fields: dict[str, str], file: bytes, kind: str) -> Any:  # noqa: ANN401 - a response
    """The answer to a form."""
    headers, body = form(fields, file, kind)
    return caller.send("POST", path, headers=headers, body=body)


@pytest.mark.parametrize(
    ("value", "text"),
    [("field_is_required", "Field 'npn' is required"), ("class_validator", "npn must be a string")],
)
def test_the_words_of_a_missing_member(caller_with: CallerWith, value: str, text: str) -> None:
    """The pages print both."""
    caller = caller_with(missing_member=value)
    assert refusal(caller.post(AGENTS, {}))[2] == [text]


def test_a_missing_enum_in_class_validators_words(caller_with: CallerWith) -> None:
    """It lists the values."""
    caller = caller_with(missing_member="class_validator")
    body = {name: value for name, value in INVITATION.items() if name != "category"}
    (text,) = refusal(caller.post(INVITE, body))[2]
    assert text.startswith("category must be one of the following values: agency,")


@pytest.mark.parametrize(("value", "status"), [("not_found", 404), ("invalid_input", 400)])
def test_a_malformed_id_in_a_path(caller_with: CallerWith, value: str, status: int) -> None:
    """An id in upper case is not malformed."""
    caller = caller_with(malformed_id=value)
    assert caller.get(f"{AGENTS}/nonsense").status == status
    agent = caller.sandbox.agents.add()
    assert caller.get(f"{AGENTS}/{agent.id.upper()}").status == 200
    agency = caller.sandbox.associations.add()
    body = {"npn": "5", "downstreamEntityAssociationId": agency.id.upper()}
    assert caller.post(AGENTS, body).status == 201


def test_the_first_fetch_may_be_done_at_once(caller_with: CallerWith) -> None:
    """The answer to the creation says so."""
    caller = caller_with(first_sync="done")
    created = caller.post(AGENTS, {"npn": "700"}).json()["data"]
    assert created["niprDataSubscription"]["entityInfo"]["status"] == "success"
    assert len(caller.sandbox.events) == 1


def test_nothing_is_known_before_the_first_fetch(caller: Client) -> None:
    """No licenses, appointments and actions; compliance is pending; then all of it."""
    sandbox = caller.sandbox
    product = sandbox.products.add(required_company_code=None)
    agency = caller.post(f"{DEA}/add", ADDITION).json()["data"]["_id"]
    agent = caller.post(AGENTS, {"npn": "700"}).json()["data"]["agent"]["_id"]
    for npn in ("700", "800"):
        sandbox.licenses.add(npn=npn)
        sandbox.appointments.add(npn=npn)
    sandbox.regulatory_actions.add(npn="700")
    lists = [f"{DEA}/{agency}/licenses", f"{AGENTS}/{agent}/appointments",
             f"{AGENTS}/{agent}/regulatory-actions"]  # fmt: skip
    query = f"license-compliance-statuses?stateCode=CA&productId={product.id}"

    def status(owner: str) -> str:
        (state,) = caller.get(f"{owner}/{query}").json()["data"]["states"]
        return str(state["licenseStatus"]["statusName"])

    assert [caller.get(path).json()["data"] for path in lists] == [[], [], []]
    assert status(f"{AGENTS}/{agent}") == status(f"{DEA}/{agency}") == "Pending Data"
    sandbox.clock.advance(minutes=2)
    assert all(caller.get(path).json()["data"] for path in lists)
    assert status(f"{AGENTS}/{agent}") == status(f"{DEA}/{agency}") == "Licensed"


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("none", [("Licensed", "Missing License")]),
        ("sent", [("Pending Data", "Licensed"), ("Licensed", "Pending Data"),
                  ("Pending Data", "Missing License")]),
    ],
)  # fmt: skip
def test_the_status_events_about_a_first_fetch(
    caller_with: CallerWith, value: str, names: list[tuple[str, str]]
) -> None:
    """Only of what NIPR knows of one NPN and then of another; or of ``Pending Data``, too."""
    caller = caller_with(first_status_event=value)
    sandbox = caller.sandbox
    sandbox.products.add(states=["CA"], required_company_code=None)
    for npn in ("700", "800"):
        sandbox.licenses.add(npn=npn)
    agency = caller.post(f"{DEA}/add", ADDITION).json()["data"]["_id"]
    made = caller.post(AGENTS, {"npn": "700", "downstreamEntityAssociationId": agency})
    sandbox.clock.advance(minutes=2)
    sandbox.agents.update(made.json()["data"]["agent"]["_id"], npn="701")
    sandbox.associations.update(agency, downstream_entity_npn="801")
    sandbox.clock.advance(minutes=2)
    changes = [one for one in sandbox.events if "state" in one.facts]
    for kind in ("AGENT", "DOWNSTREAM"):
        found = [
            (one.facts["wasLicense"], one.facts["state"]["licenseStatus"]["statusName"])
            for one in changes
            if one.kind.startswith(kind)
        ]
        assert found == names


@pytest.mark.parametrize(
    ("options", "registered", "message"),
    [
        ({"sync_outcome": "failed"}, None, "NIPR is unavailable"),
        ({"unknown_npn": "not_found"}, None, "NPN not found"),
        ({}, "not found", "NPN not found"),
        ({}, "firm", "The NPN belongs to a firm"),
    ],
)
def test_a_fetch_can_fail(
    caller_with: CallerWith, options: dict[str, str], registered: EntityType | None, message: str
) -> None:
    """The event and the subscription say so, and nothing is known yet."""
    caller = caller_with(**options)
    if registered:
        caller.sandbox.npns.add(npn="700", entity_type=registered)
    caller.post(AGENTS, {"npn": "700"})
    caller.sandbox.clock.advance(minutes=2)
    (event,) = caller.sandbox.events
    (agent,) = caller.get(AGENTS).json()["data"]
    assert event.facts["synchronizationStatus"] == "failed"
    assert agent["niprDataSubscription"]["entityInfo"]["message"] == message
    (found,) = caller.post("/v1/npn-lookup", {"npns": ["700"]}).json()["data"]
    expected = registered or ("individual" if "sync_outcome" in options else "not found")
    assert found["entityType"] == expected


@pytest.mark.parametrize("failing", [False, True])
def test_nipr_names_come_with_the_first_fetch(caller_with: CallerWith, failing: bool) -> None:
    """Until it succeeds there is what was given: no name or FEIN by NIPR, and none that is made up.

    A lookup asks NIPR itself.
    """
    caller = caller_with(sync_outcome="failed" if failing else "success")
    caller.sandbox.npns.add(npn="800", entity_type="firm", name="New LLC", ein="12-3456789")
    caller.sandbox.npns.add(npn="700", name="Jane Q. Roe")
    agency = caller.post(f"{DEA}/add", ADDITION).json()["data"]["_id"]
    agent = caller.post(AGENTS, {"npn": "700"}).json()["data"]["agent"]["_id"]

    def names() -> list[str | None]:
        person = caller.get(f"{AGENTS}/{agent}").json()["data"]["agent"]
        firm = caller.get(f"{DEA}/{agency}").json()["data"]["downstreamEntity"]
        held = [person.get(one) for one in ("firstName", "middleName", "lastName")]
        return [*held, firm["legalName"], firm.get("ein")]

    assert names() == (before := ["", None, "", ADDITION.get("downstreamEntityName", ""), None])
    (found,) = caller.post("/v1/npn-lookup", {"npns": ["700"]}).json()["data"]
    assert found["name"] == "Jane Q. Roe"
    caller.sandbox.clock.advance(minutes=2)
    assert names() == (before if failing else ["Jane", "Q.", "Roe", "New LLC", "12-3456789"])


def test_no_one_is_found_by_a_license_before_the_first_fetch(caller: Client) -> None:
    """The license is NIPR's data, which has not been fetched yet."""
    caller.post(f"{DEA}/add", ADDITION)
    caller.post(AGENTS, {"npn": "700"})
    for npn in ("700", "800"):
        caller.sandbox.licenses.add(npn=npn, license_number="L1")
    paths = [f"{one}?licenseNumber=L1&stateCode=CA" for one in (AGENTS, DEA)]

    def counts() -> list[int]:
        return [len(caller.get(path).json()["data"]) for path in paths]

    assert counts() == [0, 0]
    caller.sandbox.clock.advance(minutes=2)
    assert counts() == [1, 1]


@pytest.mark.parametrize("value", ["invented", "not_found"])
def test_the_names_of_an_unknown_npn(caller_with: CallerWith, value: str) -> None:
    """The fetch invents those that are not given, or fails and leaves none."""
    caller = caller_with(unknown_npn=value)
    agent = caller.post(AGENTS, {"npn": "700"}).json()["data"]["agent"]["_id"]
    addition = {one: text for one, text in ADDITION.items() if one != "downstreamEntityName"}
    agency = caller.post(f"{DEA}/add", addition).json()["data"]["_id"]
    sent = caller.post("/v1/npn-lookup", {"npns": ["700", "800"]}).json()["data"]
    assert not any(one.get("name") for one in sent)
    caller.sandbox.clock.advance(minutes=2)
    person = caller.get(f"{AGENTS}/{agent}").json()["data"]["agent"]
    firm = caller.get(f"{DEA}/{agency}").json()["data"]["downstreamEntity"]
    found = {bool(text) for text in (person["firstName"], person["lastName"], firm["legalName"])}
    assert found == {value == "invented"}


def test_nipr_wins_at_the_next_fetch(caller: Client) -> None:
    """Names and FEIN of a firm, names of a person; a middle name that was given stays."""
    sandbox = caller.sandbox
    agency = sandbox.associations.add(downstream_entity_npn="800", downstream_entity_name="Old")
    agent = sandbox.agents.add(npn="700", first_name="A", middle_name="M", last_name="B")
    sandbox.npns.add(npn="800", entity_type="firm", name="New LLC", ein="12-3456789")
    sandbox.npns.add(npn="700", name="Jane Q. Roe")
    for path in (f"{DEA}/{agency.id}/sync", f"{AGENTS}/{agent.id}/sync"):
        assert caller.post(path, {}).status == 201
    sandbox.clock.advance(minutes=2)
    sandbox.settle()
    assert (agency.downstream_entity.legal_name, agency.downstream_entity.ein) == (
        "New LLC", "12-3456789",
    )  # fmt: skip
    assert (agent.agent.first_name, agent.agent.middle_name) == ("Jane", "M")


@pytest.mark.parametrize("alone", ["licenseNumber=A1", "stateCode=CA"])
def test_a_license_filter_of_agents_alone(caller_with: CallerWith, alone: str) -> None:
    """Refused with the name of the option, or a filter."""
    caller = caller_with()
    assert caller.get(f"{AGENTS}?{alone}").status == 400
    assert "agent_license_filter='single'" in str(caller.sandbox.journal[-1].reason)
    caller = caller_with(agent_license_filter="single")
    for npn, number, state in (("1", "A1", "CA"), ("2", "B2", "NY")):
        caller.sandbox.agents.add(npn=npn)
        caller.sandbox.licenses.add(npn=npn, license_number=number, state_code=state)
    (found,) = caller.get(f"{AGENTS}?{alone}").json()["data"]
    assert found["agent"]["npn"] == "1"
    assert caller.get(f"{AGENTS}?licenseNumber=A1&stateCode=NY").json()["data"] == []


@pytest.mark.parametrize(
    ("value", "status"), [("joined", 201), ("invalid_input", 400), ("conflict", 409)]
)
def test_an_agent_who_is_known(caller_with: CallerWith, value: str, status: int) -> None:
    """Joins with what is given, or is refused."""
    caller = caller_with(duplicate_agent=value)
    agency = caller.sandbox.associations.add()
    agent = caller.sandbox.agents.add(npn="7")
    assert caller.post(AGENTS, {"npn": "7"}).status == status
    body = {"npn": "7", "email": "a@x.example", "middleName": "Q",
            "downstreamEntityAssociationId": agency.id}  # fmt: skip
    assert caller.post(AGENTS, body).status == status
    expected = ("a@x.example", "Q") if value == "joined" else (None, None)
    assert (agent.email, agent.agent.middle_name) == expected


@pytest.mark.parametrize("value", ["restored", "unchanged"])
def test_an_agent_who_is_deleted_or_archived_is_created_again(
    caller_with: CallerWith, value: str
) -> None:
    """The answer says whether it still is, and so do the lists."""
    caller = caller_with(recreated_agent=value, deleted_agents="hidden")
    for npn, gone in (("1", "isDeleted"), ("2", "isArchived")):
        agent = caller.sandbox.agents.add(npn=npn)
        caller.sandbox.agents.update(agent, **{as_snake_case(gone): True})
        created = caller.post(AGENTS, {"npn": npn})
        assert created.status == 201
        assert created.json()["data"][gone] == (value == "unchanged")
    shown = caller.get(AGENTS).json()["data"]
    assert [one["agent"]["npn"] for one in shown] == (["1", "2"] if value == "restored" else [])


def test_an_agent_who_is_created_again_is_not_deleted_with_an_agency_any_more(
    caller: Client,
) -> None:
    """The agency stays deleted; the agent's alerts are sent, and later it is deleted for itself."""
    agents, associations = caller.sandbox.agents, caller.sandbox.associations
    agency = associations.add()
    agent = agents.add(npn="1", downstream_entity_association_id=agency.id)
    associations.delete(agency)
    assert caller.post(AGENTS, {"npn": "1"}).status == 201
    assert agent.nipr_data_subscription is not None
    assert agent.nipr_data_subscription.pdb_alerts_paused_at is None
    agents.delete(agent)
    associations.undelete(agency)
    assert agent.is_deleted


@pytest.mark.parametrize(("value", "count"), [("listed", 3), ("hidden", 1)])
def test_deleted_and_archived_agents(caller_with: CallerWith, value: str, count: int) -> None:
    """In lists, and by their id."""
    caller = caller_with(deleted_agents=value)
    add = caller.sandbox.agents.add
    gone = add(is_deleted=True)
    add(is_archived=True), add()
    assert len(caller.get(AGENTS).json()["data"]) == count
    assert caller.get(f"{AGENTS}/{gone.id}").status == (200 if value == "listed" else 404)


@pytest.mark.parametrize("value", ["hidden", "listed"])
def test_a_deleted_association(caller_with: CallerWith, value: str) -> None:
    """With its agents, alerts and people; an agent of another agency stays; all come back."""
    caller = caller_with(deleted_associations=value)
    sandbox = caller.sandbox
    agency, other = sandbox.associations.add(), sandbox.associations.add(is_npn_required=False)
    alone = sandbox.agents.add(downstream_entity_association_id=agency.id)
    both = sandbox.agents.add(downstream_entity_association_id=agency.id)
    sandbox.agents.update(both, downstream_entity_association_id=other.id)
    shown = value == "listed"
    for gone in (True, False):
        change = sandbox.associations.delete if gone else sandbox.associations.undelete
        change(agency)
        seen = shown or not gone
        assert len(caller.get(DEA).json()["data"]) == 1 + seen
        assert caller.get(f"{DEA}/{agency.id}").status == (200 if seen else 404)
        people = caller.get("/v1/contacts").json()["data"]
        assert len(people) == 1 + seen
        at = f"/v1/contacts?downstreamEntityAssociationId={agency.id}"
        assert len(caller.get(at).json()["data"]) == seen
        assert (alone.is_deleted, both.is_deleted) == (gone, False)
        subscription = alone.nipr_data_subscription
        assert subscription is not None
        assert (subscription.pdb_alerts_paused_at is not None) == gone
    sandbox.associations.delete(other)
    sandbox.associations.delete(agency)
    assert both.is_deleted


@pytest.mark.parametrize(("value", "count"), [("listed", 2), ("hidden", 1)])
def test_deleted_documents(caller_with: CallerWith, value: str, count: int) -> None:
    """Without the parameter ``isDeleted``."""
    caller = caller_with(deleted_documents=value)
    caller.sandbox.documents.add(category="W9", is_deleted=True)
    caller.sandbox.documents.add(category="W9")
    path = "/v1/file-documents?category=W9"
    assert len(caller.get(path).json()["data"]) == count
    assert len(caller.get(f"{path}&isDeleted=true").json()["data"]) == 1


def test_an_invited_agency_may_be_hidden_until_it_signs(caller_with: CallerWith) -> None:
    """The execution of its agreement shows it."""
    caller = caller_with(invited_agencies="hidden")
    assert caller.invite().status == 201
    assert caller.get(DEA).json()["data"] == []
    (agency,) = caller.sandbox.associations
    caller.sandbox.execute_agreement(agency)
    assert len(caller.get(DEA).json()["data"]) == 1


def test_the_statuses_of_successes(caller_with: CallerWith) -> None:
    """Of writes, of an upload, and the body of an empty one."""
    caller = caller_with(
        write_success_status="200", upload_success_status="202", empty_success_body="envelope",
        envelope="data_with_status",
    )  # fmt: skip
    created = caller.post(AGENTS, {"npn": "7"})
    assert (created.status, created.json()["statusCode"]) == (200, 200)
    assert caller.post(f"{DEA}/add", ADDITION).status == caller.invite().status == 200
    csv = (
        b"policyNumber,riskStateCode,policyTransactionType,policyTransactionDate,agencyName\n"
        b"P,CA,New,2025-01-15,A\n"
    )
    assert posted(caller, "/v1/policies/upload", {}, csv, "text/csv").status == 202
    synced = caller.post(f"{AGENTS}/{created.json()['data']['agent']['_id']}/sync", {})
    assert synced.json()["data"] is None


@pytest.mark.parametrize(("value", "status"), [("not_found", 404), ("empty", 200)])
def test_an_unknown_fein(caller_with: CallerWith, value: str, status: int) -> None:
    """Nobody's FEIN."""
    caller = caller_with(unknown_fein=value)
    answer = caller.get(f"{DEA}/licenses/surplus-lines?fein=123456789&stateCode=CA")
    assert answer.status == status


@pytest.mark.parametrize(("value", "status"), [("empty", 200), ("not_found", 404)])
def test_a_state_where_the_product_is_not_sold(
    caller_with: CallerWith, value: str, status: int
) -> None:
    """An empty list, or not found."""
    caller = caller_with(product_not_sold=value)
    product, agent = caller.sandbox.products.add(states=["CA"]), caller.sandbox.agents.add()
    query = f"license-compliance-statuses?stateCode=NY&productId={product.id}"
    assert caller.get(f"{AGENTS}/{agent.id}/{query}").status == status


@pytest.mark.parametrize(("value", "status"), [("not_found", 404), ("invalid_input", 400)])
def test_an_association_that_does_not_exist(
    caller_with: CallerWith, value: str, status: int
) -> None:
    """In each body that names one."""
    caller = caller_with(unknown_association=value)
    body = {"npn": "1", "downstreamEntityAssociationId": NOBODY}
    fields = {"category": "W9", "downstreamEntityAssociationId": NOBODY}
    answers = (
        caller.post(AGENTS, body),
        caller.post(f"{DEA}/add", ADDITION | {"parentDownstreamEntityAssociationId": NOBODY}),
        posted(caller, "/v1/file-documents", fields, PDF, "application/pdf"),
    )
    assert [answer.status for answer in answers] == [status] * 3


@pytest.mark.parametrize(("value", "status"), [("payload_too_large", 413), ("invalid_input", 400)])
def test_a_file_that_is_too_large(caller_with: CallerWith, value: str, status: int) -> None:
    """A byte over 10 MB."""
    caller = caller_with(too_large_file=value)
    file = bytes(10 * 1024 * 1024 + 1)
    assert posted(caller, "/v1/policies/upload", {}, file, "text/csv").status == status


@pytest.mark.parametrize(("value", "status"), [("shared", 429), ("per_operation", 201)])
def test_the_windows_of_writes(caller_with: CallerWith, value: str, status: int) -> None:
    """One for all operations, or one each; both are exhausted together."""
    caller = caller_with(write_windows=value, writes_per_minute=2)
    for npn in "12":
        assert caller.post(AGENTS, {"npn": npn}).status == 201
    assert caller.post(AGENTS, {"npn": "3"}).status == 429
    assert caller.invite().status == status
    caller.sandbox.limits.exhaust("write")
    assert caller.invite().status == 429


def test_the_members_of_a_lookup_and_of_a_product(caller_with: CallerWith) -> None:
    """A test gives those that its client expects."""
    caller = caller_with(npn_lookup_member="numbers")
    members = {"number": "7", "kind": "FIRM"}
    caller.sandbox.npns.add(npn="7", members=members)
    wrong = refusal(caller.post("/v1/npn-lookup", {"npns": ["7"]}))
    assert wrong == (400, "invalid_input", ["Field 'numbers' is required"])
    assert caller.post("/v1/npn-lookup", {"numbers": ["7"]}).json()["data"] == [members]
    product = caller.sandbox.products.add(members={"productName": "P&C"})
    answer = caller.get(f"/v1/products/{product.id}").json()["data"]
    assert answer == {"_id": product.id, "productName": "P&C"}


@pytest.mark.parametrize(("value", "count"), [("contacts", 1), ("primary_contact", 0)])
def test_whose_address_the_filters_look_at(caller_with: CallerWith, value: str, count: int) -> None:
    """Every contact's, as the page says, or the primary one's."""
    caller = caller_with(email_filter=value)
    agency = caller.sandbox.associations.add(email="first@a.example")
    caller.sandbox.contacts.add(downstream_entity_association_id=agency.id, email="other@b.example")
    for query in ("email=Other@b.example", "emailDomain=B.example"):
        assert len(caller.get(f"{DEA}?{query}").json()["data"]) == count


def test_invite_and_add_check_parent_and_fein(caller: Client) -> None:
    """The deprecated variants do not."""
    assert caller.invite(parentProducerCode="NONE").status == 400
    assert caller.post(f"{DEA}/add", ADDITION | {"ein": "nonsense"}).status == 400
    assert caller.post(f"{DEA}/dangerously-add", ADDITION | {"ein": "nonsense"}).status == 201


def test_the_same_json_is_the_same_body(caller: Client) -> None:
    """White space and the order of members do not count for an idempotency key."""
    headers = {"idempotency-key": "550e8400-e29b-41d4-a716-446655440000"}
    first = caller.post(INVITE, INVITATION, headers)
    again = caller.post(INVITE, dict(reversed(INVITATION.items())), headers)
    assert (again.status, again.body) == (201, first.body)


def test_another_body_that_is_not_json_is_another_body(caller: Client) -> None:
    """A key that was used is refused with it."""
    headers = {"idempotency-key": "550e8400-e29b-41d4-a716-446655440000"}
    caller.post(INVITE, INVITATION, headers)
    fields = headers | {"content-type": "application/json"}
    assert caller.send("POST", INVITE, headers=fields, body=b"{").status == 422


def test_the_description_has_the_refusals_of_the_options() -> None:
    """A malformed id, and an agent who is known."""
    options = Options(malformed_id="invalid_input", duplicate_agent="conflict", sunset="gone")
    paths = document(operations_at(options.webhooks_path), options)["paths"]
    assert "400" in paths["/v1/agents/{agentId}/sync"]["post"]["responses"]
    assert "409" in paths[AGENTS]["post"]["responses"]


def test_an_agency_without_an_npn_is_deleted_and_comes_back(caller: Client) -> None:
    """It has no alerts to pause."""
    associations = caller.sandbox.associations
    agency = associations.add(is_npn_required=False)
    associations.delete(agency)
    assert associations.shown(agency.id) is None
    associations.undelete(agency)
    assert associations.shown(agency.id) is agency
