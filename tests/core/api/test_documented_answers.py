"""What the documentation says of an answer where a simple fake would say something else."""

from collections.abc import Callable
from typing import Any

import pytest
from doubles.sandbox_client import Client, refusal

SURPLUS = "/v1/downstream-entity-associations/licenses/surplus-lines"


def test_surplus_lines_licenses_of_all_branches_in_the_documented_order(caller: Client) -> None:
    """Branches share a FEIN (help centre); the members stand in the order of the page."""
    sandbox = caller.sandbox
    for npn in ("1", "2"):
        sandbox.associations.add(downstream_entity_npn=npn, ein="12-3456789")
        sandbox.licenses.add(npn=npn, license_class_name="Surplus Lines", license_number=f"L{npn}")
    answer = caller.get(f"{SURPLUS}?fein=123456789&stateCode=CA").json()["data"]
    assert [one["licenseNumber"] for one in answer["surplusLinesLicenses"]] == ["L1", "L2"]
    assert list(answer["surplusLinesLicenses"][0]) == [
        "licenseNumber", "licenseClassName", "licenseClassCode", "stateCode", "status",
        "issueDate", "nextRenewalDate", "residencyStatus", "linesOfAuthority",
    ]  # fmt: skip


def test_an_agent_is_shown_at_the_agency_that_is_asked_for(caller: Client) -> None:
    """An agent may be at several; list and get name the one in the query."""
    sandbox = caller.sandbox
    first, second = (sandbox.associations.add(producer_code=code) for code in ("P-1", "P-2"))
    for agency in (first, second):
        agent = sandbox.agents.add(npn="7", downstream_entity_association_id=agency.id)
    query = f"downstreamEntityAssociationId={second.id}"
    (listed,) = caller.get(f"/v1/agents?{query}").json()["data"]
    got = [
        caller.get(f"/v1/agents/{agent.id}?{asked}").json()["data"]
        for asked in (query, "producerCode=P-2")
    ]
    for entry in (listed, *got):
        assert entry["downstreamEntityAssociationId"] == second.id
    unasked = caller.get(f"/v1/agents/{agent.id}").json()["data"]
    assert unasked["downstreamEntityAssociationId"] == first.id


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("Jane Roe", ("Jane", None, "Roe")),
        ("Jane Q. Roe", ("Jane", "Q.", "Roe")),
        ("Cher", (None, None, "Cher")),
    ],
)
def test_a_created_agent_has_the_names_that_nipr_knows(
    caller_with: Callable[..., Client], name: str, names: tuple[str | None, ...]
) -> None:
    """Auto-populated by the NPN, the middle name included (documented)."""
    caller = caller_with(first_sync="done")
    caller.sandbox.npns.add(npn="700", name=name)
    agent = caller.post("/v1/agents", {"npn": "700"}).json()["data"]["agent"]
    found = agent["firstName"], agent.get("middleName"), agent["lastName"]
    assert all(given in (None, got) for given, got in zip(names, found, strict=True))
    looked_up = caller.post("/v1/npn-lookup", {"npns": ["700"]}).json()["data"]
    assert looked_up[0]["name"] == name


def test_an_added_agency_has_the_name_that_nipr_knows(caller_with: Callable[..., Client]) -> None:
    """A firm's; an individual's NPN names no agency."""
    caller = caller_with(first_sync="done")
    sandbox = caller.sandbox
    sandbox.npns.add(npn="800", entity_type="firm", name="Other Firm LLC")
    sandbox.npns.add(npn="801", name="Jane Roe")
    names = []
    for npn in ("800", "801"):
        body = {
            "downstreamEntityNpn": npn,
            "isNpnRequired": True,
            "firstName": "Dana",
            "lastName": "Lee",
            "email": f"{npn}@x.example",
            "category": "agency",
        }
        answer = caller.post("/v1/downstream-entity-associations/add", body)
        assert answer.status == 201, answer.body
        names.append(answer.json()["data"]["downstreamEntity"]["legalName"])
    assert names == ["Other Firm LLC", ""]


def test_a_firms_npn_stays_a_firm_in_a_lookup(caller: Client) -> None:
    """What NIPR says is not changed by an agent of that number."""
    caller.sandbox.npns.add(npn="800", entity_type="firm", name="Other Firm LLC")
    caller.post("/v1/agents", {"npn": "800"})
    (found,) = caller.post("/v1/npn-lookup", {"npns": ["800"]}).json()["data"]
    assert (found["entityType"], found["name"]) == ("firm", "Other Firm LLC")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (None, "Field 'customFieldValues' is required"),
        ({"note": "x", "begins": "not a date"},
         "customFieldValues.begins must be a valid ISO 8601 date string"),
        ({"note": 5}, "customFieldValues.note must be a string"),
        ({"note": "x", "begins": "2026-06-01"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_custom_field_values_are_required_and_checked(
    caller: Client, values: dict[str, object] | None, message: str | None
) -> None:
    """When the template has custom fields (documented)."""
    template = caller.sandbox.templates.add(
        custom_fields=[{"field_name": "note"}, {"field_name": "begins", "field_type": "date"}]
    )
    given: dict[str, Any] = {} if values is None else {"customFieldValues": values}
    answer = caller.invite(contractContainerTemplateId=template.id, **given)
    if message is None:
        assert answer.status == 201
    else:
        assert refusal(answer)[2] == [message]


def test_deprecated_operations_answer_after_their_sunset_by_default(caller: Client) -> None:
    """A consumer's tests do not begin to fail on a date; the headers announce it."""
    caller.sandbox.clock.advance(days=3_000)
    caller.token()
    path = "/v1/downstream-entity-associations/licenses/dangerously-surplus-lines"
    answer = caller.get(f"{path}?fein=1&stateCode=CA")
    assert answer.status == 404
    assert dict(answer.headers)["deprecation"] == "true"
