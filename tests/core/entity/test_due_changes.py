"""What products require in a state, and what becomes due: licenses, extractions, batches."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from doubles.api_recipes import PDF, form
from doubles.sandbox_client import NOW, Client
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.entity.policy_upload.policy_file import REQUIRED
from pytest_turris.core.options import Options
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.resources.products import Product
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks

DAY = dt.timedelta(days=1)
AGENT = "AGENT_COMPLIANCE_STATUS_CHANGE"


def statuses(caller: Client, path: str, product: Product, state: str) -> tuple[str, str]:
    """The names of both statuses."""
    query = f"license-compliance-statuses?stateCode={state}&productId={product.id}"
    (found,) = caller.get(f"/v1/{path}/{query}").json()["data"]["states"]
    return found["licenseStatus"]["statusName"], found["appointmentStatus"]["statusName"]


def test_requirements_differ_by_state_and_by_holder(caller: Client) -> None:
    """Per product and state, with switches for agencies and agents (help centre)."""
    sandbox = caller.sandbox
    product = sandbox.products.add(
        states=["CA", "FL", "NY"],
        agent_appointment_required=False,
        state_requirements={
            "FL": {"agency_appointment": False, "license_class_codes": ["LIFE"]},
            "NY": {"agent_appointment": True},
        },
    )
    agency = sandbox.associations.add(downstream_entity_npn="1")
    agent = sandbox.agents.add(npn="2")
    for npn in "12":
        for state in ("CA", "FL", "NY"):
            sandbox.licenses.add(npn=npn, state_code=state)
    places = f"downstream-entity-associations/{agency.id}", f"agents/{agent.id}"
    found = {
        state: [statuses(caller, place, product, state) for place in places]
        for state in ("CA", "FL", "NY")
    }
    assert found == {
        "CA": [("Licensed", "Missing Carrier"), ("Licensed", "Not Required")],
        "FL": [("Missing License", "Not Required")] * 2,
        "NY": [("Licensed", "Missing Carrier")] * 2,
    }


def test_a_license_counts_from_its_issue_date(sandbox: Sandbox) -> None:
    """And the day is an event, as its expiry is."""
    sandbox.products.add(states=["CA"], required_company_code=None)
    agency = sandbox.associations.add(downstream_entity_npn="1")
    held = sandbox.licenses.add(npn=agency.npn or "", issue_date=NOW + DAY)
    assert held.status_at(NOW) == "inactive"
    sandbox.clock.advance(days=1)
    names = [event.facts["state"]["licenseStatus"]["statusName"] for event in sandbox.events]
    assert names[-1] == "Licensed"


def coverage_of(caller: Client, agency: Association) -> Any:  # noqa: ANN401 - JSON
    """The agency's E&O policy, or None."""
    path = f"/v1/downstream-entity-associations/{agency.id}/policy-compliance-statuses"
    return caller.get(path).json()["data"].get("eAndO")


def test_an_uploaded_policy_is_read_after_a_while(caller: Client) -> None:
    """It is queued, then completed with made-up data; a removed one is not read."""
    agency, other = (caller.sandbox.associations.add() for _ in "ab")
    for one in (agency, other):
        fields = {"category": "E&O", "downstreamEntityAssociationId": one.id}
        headers, body = form(fields, PDF, "application/pdf")
        assert caller.send("POST", "/v1/file-documents", headers=headers, body=body).status == 201
    caller.sandbox.associations.remove(other)
    assert coverage_of(caller, agency)["dataExtractionStatus"] == "queued"
    caller.sandbox.clock.advance(minutes=2)
    read = coverage_of(caller, agency)
    assert (read["dataExtractionStatus"], read["collectionStatus"]) == ("completed", "active")


def test_one_policy_may_cover_several_agencies(caller: Client) -> None:
    """It stays with the others when one agency goes."""
    agencies = [caller.sandbox.associations.add() for _ in "abc"]
    held = caller.sandbox.coverages.add(
        downstream_entity_association_id=agencies[0].id,
        shared_with=[one.id for one in agencies[1:]],
    )
    assert {coverage_of(caller, one)["_id"] for one in agencies} == {held.id}
    caller.sandbox.associations.remove(agencies[0])
    assert coverage_of(caller, agencies[2])["_id"] == held.id
    for one in agencies[1:]:
        caller.sandbox.associations.remove(one)
    assert len(caller.sandbox.coverages) == 0


def uploaded(caller: Client, rows: str) -> dict[str, Any]:
    """The status of a processed file."""
    head = ",".join((*REQUIRED, "agencyName", "agencyNpn"))
    headers, body = form({}, f"{head}\n{rows}".encode(), "text/csv")
    made = caller.send("POST", "/v1/policies/upload", headers=headers, body=body).json()["data"]
    caller.sandbox.clock.advance(seconds=10)
    return dict(caller.get(f"/v1/policies/uploads/{made['uploadId']}").json()["data"])


@pytest.mark.parametrize(("value", "failed", "index"), [("skipped", 1, 1), ("counted", 2, 2)])
def test_blank_rows(
    caller_with: Callable[..., Client], value: str, failed: int, index: int
) -> None:
    """They are left out, or fail; those at the end never count."""
    caller = caller_with(blank_rows=value)
    done = uploaded(caller, "P,CA,New,2025-01-15,A,\n,,,,,\nQ,,New,2025-01-15,A,\n,,,,,\n\n")
    assert (done["failed"], done["errors"][-1]["index"]) == (failed, index)


@pytest.mark.parametrize(("value", "count"), [("counted", 2), ("ignored", 1)])
def test_a_file_that_is_uploaded_twice(
    caller_with: Callable[..., Client], value: str, count: int
) -> None:
    """Its transactions count twice, or once."""
    caller = caller_with(repeated_transactions=value)
    for _ in range(2):
        uploaded(caller, "P,CA,New,2025-01-15,A,\n")
    (policy,) = caller.get("/v1/policies").json()["data"]
    assert policy["transactionCount"] == count


def test_branches_with_one_npn_need_no_clarification(caller: Client) -> None:
    """The NPN says which agency it is; a name alone does not."""
    for _ in range(2):
        caller.sandbox.associations.add(downstream_entity_name="A", downstream_entity_npn="8")
    assert uploaded(caller, "P,CA,New,2025-01-15,A,8\n")["status"] == "COMPLETED"
    assert uploaded(caller, "Q,CA,New,2025-01-15,A,\n")["status"] == "NEEDS_CLARIFICATION"


def test_a_failed_upload_says_where_and_why(caller: Client) -> None:
    """After the rows that could be read."""
    headers, body = form(
        {},
        b"policyNumber,riskStateCode,policyTransactionType,policyTransactionDate,agencyName\n"
        b"P,CA,New,2025-01-15,A\n\xff\n",
        "text/csv",
    )
    made = caller.send("POST", "/v1/policies/upload", headers=headers, body=body).json()["data"]
    caller.sandbox.clock.advance(seconds=10)
    done = caller.get(f"/v1/policies/uploads/{made['uploadId']}").json()["data"]
    assert (done["status"], done["errors"][0]["index"]) == ("FAILED", 1)
    assert done["errors"][0]["error"].startswith("File could not be read: not a CSV")


def changing(**options: Any) -> tuple[Sandbox, list[dict[str, Any]], TurrisWebhooks]:  # noqa: ANN401 - options
    """A sandbox with two agents at an agency, and what a receiver of their events gets."""
    sandbox = Sandbox(Options.from_layers(options))
    sandbox.products.add(states=["CA"], required_company_code=None)
    agency = sandbox.associations.add(is_npn_required=False)
    for npn in "12":
        sandbox.agents.add(npn=npn, downstream_entity_association_id=agency.id)
    webhooks, got = TurrisWebhooks.of(sandbox), list[dict[str, Any]]()

    def accept(body: bytes, headers: object) -> bool:
        del headers
        got.append(json.loads(body))
        return True

    webhooks.register(accept, event=AGENT)
    return sandbox, got, webhooks


@pytest.mark.parametrize(("value", "sizes"), [("type", [2]), ("entity", [1, 1])])
def test_what_waits_together(value: str, sizes: list[int]) -> None:
    """All changes of a type, or those of an agent; also after a snapshot."""
    sandbox, got, webhooks = changing(webhook_batch=value)
    for npn in "12":
        sandbox.licenses.add(npn=npn)
        sandbox.clock.advance(seconds=30)
    webhooks.deliver_due()
    sandbox.outbox.restore(sandbox.outbox.snapshot())
    webhooks.drain()
    assert [len(one["payload"]) for one in got] == sizes


@pytest.mark.parametrize(("value", "count"), [("sent", 1), ("dropped", 0)])
def test_there_and_back_within_the_wait(value: str, count: int) -> None:
    """What is as it was before is sent, or dropped; a change that stays is always sent."""
    sandbox, got, webhooks = changing(webhook_reverted=value)
    held = sandbox.licenses.add(npn="1")
    sandbox.licenses.remove(held)
    webhooks.drain()
    assert len(got) == count
    sandbox.licenses.add(npn="1")
    webhooks.drain()
    assert len(got) == count + 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "agent",
                "join",
                "license",
                "expire",
                "renumber",
                "delete",
                "undelete",
                "remove",
                "agree",
            ]
        ),
        st.integers(0, 2),
    ),
    max_size=14,
)


def sign_once(sandbox: Sandbox, agency: Association) -> None:
    """Execute the agency's agreement, unless it was."""
    if agency.agreement_executed_at is None:
        sandbox.execute_agreement(agency)


def take(sandbox: Sandbox, step: str, which: int, agency: Association) -> None:
    """One step; those about an agency need that it is there."""
    npn, associations = f"9{which}", sandbox.associations
    everywhere: dict[str, Callable[[], object]] = {
        "agent": lambda: sandbox.agents.add(npn=npn, synchronized=which != 0),
        "license": lambda: [sandbox.licenses.add(npn=one) for one in (npn, f"8{which}")],
        "expire": lambda: sandbox.clock.advance(days=400 * which),
    }
    there: dict[str, Callable[[], object]] = {
        "join": lambda: sandbox.agents.add(npn=npn, downstream_entity_association_id=agency.id),
        "renumber": lambda: associations.update(agency, downstream_entity_npn=npn),
        "delete": lambda: associations.delete(agency),
        "undelete": lambda: associations.undelete(agency),
        "remove": lambda: associations.remove(agency),
        "agree": lambda: sign_once(sandbox, agency),
    }
    if step in everywhere:
        everywhere[step]()
    elif associations.find(agency.id) is not None:
        there[step]()


@given(STEPS)
@settings(max_examples=20, deadline=None)
def test_every_event_fits_its_model(steps: list[tuple[str, int]]) -> None:
    """Whatever happens to agents and agencies, what is sent is what the pages describe."""
    sandbox = Sandbox()
    sandbox.products.add(states=["CA"], required_company_code=None)
    agencies = [sandbox.associations.add(downstream_entity_npn=f"8{n}") for n in range(3)]
    webhooks, bodies = TurrisWebhooks.of(sandbox), list[bytes]()

    def accept(body: bytes, headers: object) -> bool:
        del headers
        bodies.append(body)
        return True

    for kind in EVENTS:
        webhooks.register(accept, event=kind)
    for step, which in steps:
        take(sandbox, step, which, agencies[which])
    webhooks.drain()
    for body in bodies:
        event = json.loads(body)
        EVENTS[event["webhookType"]].model_validate(event)
        assert event["payload"]


def moments_until(sandbox: Sandbox, is_over: Callable[[], bool]) -> int:
    """How many seconds pass on the sandbox's clock until something is over."""
    for second in range(1_000):
        if is_over():
            return second
        sandbox.clock.advance(seconds=1)
        sandbox.settle()
    raise AssertionError("it does not end")


@pytest.mark.parametrize("back", [dt.timedelta(seconds=1), dt.timedelta(hours=1), 400 * DAY])
def test_what_is_in_progress_ends_in_its_time_after_the_clock_was_set_back(
    caller: Client, back: dt.timedelta
) -> None:
    """A wait of seconds does not last as long as the clock went back, and logs no event for it."""
    sandbox = caller.sandbox
    agency, agent = sandbox.associations.add(), sandbox.agents.add(npn="12345678")
    upload = sandbox.uploads.enqueue([])
    held = sandbox.coverages.receive(agency.id, "E&O")
    updated = upload.updated_at, held.updated_at
    assert caller.send("POST", f"/v1/agents/{agent.id}/sync").status == 201
    sandbox.npns.occupy(sandbox.options.npn_lookup_duration)
    events = len(sandbox.events)
    sandbox.clock.move_to(sandbox.clock.now() - back)
    sandbox.settle()
    assert (len(sandbox.events), upload.updated_at, held.updated_at) == (events, *updated)
    options, now = sandbox.options, sandbox.clock.now()
    assert agent.nipr_data_subscription is not None
    waits = [
        (upload.due, sandbox.uploads.step),
        (held.extraction_due, options.extraction_duration),
        (agent.nipr_data_subscription.sync_due, options.sync_duration),
        (sandbox.npns.busy_until, options.npn_lookup_duration),
    ]
    for due, longest in waits:
        assert due is not None
        assert due - now <= longest
    assert moments_until(sandbox, lambda: upload.is_over) <= 10
