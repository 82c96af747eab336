"""The exact bytes of each event that the sandbox sends: members, their order, nulls."""

import json
import re
from collections.abc import Callable

import pytest
from doubles.sandbox_client import Client

from pytest_turris.core.entity.event_facts import EventKind
from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks

AGENT = "AGENT_COMPLIANCE_STATUS_CHANGE"
AGENCY = "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE"
SYNCHRONIZED = "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED"
AGREEMENT: EventKind = "PRODUCER_AGREEMENT_EXECUTED"

LICENSED = '"licenseStatus":{"statusName":"Licensed"}'
UNLICENSED = (
    '"licenseStatus":{"statusName":"Missing License",'
    '"statusMessages":["Required license class not found"]}'
)
NOT_REQUIRED = '"appointmentStatus":{"statusName":"Not Required"}'
NPN_MISSING = '{"statusName":"NPN Missing","statusMessages":["NPN is missing"]}'
OBJECT_ID = re.compile("[0-9a-f]{24}")

Sent = Callable[[str], list[str]]


def keeping(bodies: list[bytes]) -> Callable[[bytes, object], bool]:
    """A receiver that accepts everything and keeps the bodies."""

    def accept(body: bytes, headers: object) -> bool:
        bodies.append(body)
        return True

    return accept


@pytest.fixture
def sent(sandbox: Sandbox) -> Sent:
    """The bodies of one event that a receiver of all four gets, once time has passed."""
    webhooks = TurrisWebhooks.of(sandbox)
    bodies: list[bytes] = []
    for event in EVENTS:
        webhooks.register(keeping(bodies), event=event)

    def drained(event: str) -> list[str]:
        webhooks.drain()
        texts = [body.decode() for body in bodies]
        return [text for text in texts if text.startswith(f'{{"webhookType":"{event}",')]

    return drained


def test_agents(sandbox: Sandbox, sent: Sent) -> None:
    """Agents of an agency; those of an agency that is gone and of none are in no event."""
    product = sandbox.products.add(states=["CA", "NY"], required_company_code=None)
    agency = sandbox.associations.add(
        downstream_entity_name="Söhne", branch_name="West", producer_code="P-1", email="a@b.example"
    )
    gone = sandbox.associations.add(email="c@d.example")
    sandbox.agents.add(npn="1", downstream_entity_association_id=agency.id)
    sandbox.agents.add(npn="2", downstream_entity_association_id=gone.id)
    sandbox.agents.add(npn="3")
    first = sandbox.licenses.add(npn="1", state_code="CA")
    sandbox.licenses.add(npn="1", state_code="NY")
    sandbox.licenses.remove(first)
    for npn in ("2", "3"):
        sandbox.licenses.add(npn=npn, state_code="CA")
    sandbox.associations.remove(gone)
    no_ca = f'"stateCode":"CA","complianceStatus":"NOT_COMPLIANT",{UNLICENSED},{NOT_REQUIRED}'
    ny = f'"stateCode":"NY","complianceStatus":"COMPLIANT",{LICENSED},{NOT_REQUIRED}'
    head = f'"products":[{{"productId":"{product.id}","productName":"Property & Casualty","states":'
    assert sent(AGENT) == [
        (
            f'{{"webhookType":"{AGENT}","upstreamEntityId":"{sandbox.upstream_entity_id}","payload":['
            f'{{"entity":"agent","downstreamEntityAssociationId":"{agency.id}","legalName":"Söhne",'
            f'"branchName":"West","producerCode":"P-1","npn":"1",{head}[{{{no_ca}}},{{{ny}}}]}}]}}]}}'
        )
    ]


def test_agencies(sandbox: Sandbox, sent: Sent) -> None:
    """An agency with two products, and one that has lost its NPN."""
    products = [
        sandbox.products.add(name=name, states=["CA"], required_company_code=None)
        for name in ("Auto", "Home")
    ]
    agency = sandbox.associations.add(downstream_entity_name="Acme", downstream_entity_npn="1")
    bare = sandbox.associations.add(downstream_entity_name="Bare", downstream_entity_npn="2")
    sandbox.licenses.add(npn="1")
    sandbox.associations.update(bare, downstream_entity_npn=None)
    ca = f'"stateCode":"CA","complianceStatus":"COMPLIANT",{LICENSED},{NOT_REQUIRED}'
    no_ca = (
        '"stateCode":"CA","complianceStatus":"NOT_COMPLIANT",'
        f'"licenseStatus":{NPN_MISSING},"appointmentStatus":{NPN_MISSING}'
    )

    def listed(state: str) -> str:
        return ",".join(
            f'{{"productId":"{one.id}","productName":"{one.name}","states":[{{{state}}}]}}'
            for one in products
        )

    assert sent(AGENCY) == [
        (
            f'{{"webhookType":"{AGENCY}","upstreamEntityId":"{sandbox.upstream_entity_id}","payload":['
            f'{{"entity":"downstreamEntity","downstreamEntityAssociationId":"{agency.id}",'
            f'"legalName":"Acme","branchName":"","producerCode":null,"npn":"1",'
            f'"products":[{listed(ca)}]}},'
            f'{{"entity":"downstreamEntity","downstreamEntityAssociationId":"{bare.id}",'
            f'"legalName":"Bare","branchName":"","producerCode":null,"npn":null,'
            f'"products":[{listed(no_ca)}]}}]}}'
        )
    ]


def test_synchronizations(sandbox: Sandbox, sent: Sent) -> None:
    """Of an agent that is created, and of an agency that is fetched again."""
    caller = Client(sandbox)
    caller.token()
    caller.post("/v1/agents", {"npn": "1"})
    (agent,) = sandbox.agents
    agency = sandbox.associations.add(downstream_entity_npn="2")
    caller.post(f"/v1/downstream-entity-associations/{agency.id}/sync", {})
    sandbox.clock.advance(minutes=10)
    assert sent(SYNCHRONIZED) == [
        f'{{"webhookType":"{SYNCHRONIZED}","upstreamEntityId":"{sandbox.upstream_entity_id}",'
        f'"payload":{{"entityType":"{kind}","npn":"{owner.npn}",'
        f'"synchronizationStatus":"success","niprDataSubscriptionId":"'
        f'{owner.nipr_data_subscription and owner.nipr_data_subscription.id}"}}}}'
        for kind, owner in (("Agent", agent), ("DownstreamEntity", agency))
    ]


def test_agreements(sandbox: Sandbox, sent: Sent) -> None:
    """One with everything, and one without a template, a branch and a producer code."""
    template = sandbox.templates.add(name="Standard")
    full = sandbox.associations.add(
        producer_code="P-1", branch_name="West", contract_container_template_id=template.id
    )
    bare = sandbox.associations.add()
    for agency in (full, bare):
        sandbox.execute_agreement(agency)
    instances = [e.facts["contractContainerInstanceId"] for e in sandbox.events.of(AGREEMENT)]
    signed = [document.id for document in sandbox.documents.where(sub_category="instance")]
    head = f'{{"webhookType":"{AGREEMENT}","upstreamEntityId":"{sandbox.upstream_entity_id}",'
    assert sent(AGREEMENT) == [
        (
            f'{head}"payload":{{"downstreamEntityAssociationId":"{full.id}",'
            f'"downstreamEntityId":"{full.downstream_entity.id}","producerCode":"P-1",'
            f'"branchName":"West","contractContainerInstanceId":"{instances[0]}",'
            f'"contractContainerTemplateId":"{template.id}",'
            f'"contractContainerTemplateName":"Standard","signedFileDocumentId":"{signed[0]}"}}}}'
        ),
        (
            f'{head}"payload":{{"downstreamEntityAssociationId":"{bare.id}",'
            f'"downstreamEntityId":"{bare.downstream_entity.id}","producerCode":null,'
            f'"branchName":"","contractContainerInstanceId":"{instances[1]}",'
            f'"signedFileDocumentId":"{signed[1]}"}}}}'
        ),
    ]


@pytest.mark.parametrize("event", EVENTS)
def test_test_deliveries(sandbox: Sandbox, event: str) -> None:
    """The documented example with own and fresh ids and wider names; the same over HTTP."""
    webhooks = TurrisWebhooks.of(sandbox)
    bodies: list[bytes] = []
    endpoint = webhooks.register(keeping(bodies), event=event)
    webhooks.test(endpoint)
    caller = Client(sandbox)
    caller.token()
    caller.post(f"/v1/webhooks/{endpoint.id}/test", {})
    webhooks.drain()
    example = json.dumps(
        EVENTS[event].model_validate({}).wire(), ensure_ascii=False, separators=(",", ":")
    )
    for name in ("Property & Casualty", "Producer Agreement"):
        example = example.replace(f'"{name}"', f'"{name} (Español)"')
    ids: list[str] = []
    for body in bodies:
        own, *fresh = OBJECT_ID.findall(body.decode())
        assert own == sandbox.upstream_entity_id
        assert OBJECT_ID.sub("x", body.decode()) == OBJECT_ID.sub("x", example)
        ids += fresh
    assert len(bodies) == 2
    assert len(set(ids)) == len(ids) == len(OBJECT_ID.findall(example)) * 2 - 2


def test_facts_in_a_snapshot(sandbox: Sandbox) -> None:
    """The log keeps JSON objects, in the order of their members."""
    product = sandbox.products.add(states=["CA"], required_company_code=None)
    agency = sandbox.associations.add(is_npn_required=False)
    sandbox.agents.add(npn="1", downstream_entity_association_id=agency.id)
    sandbox.licenses.add(npn="1")
    sandbox.execute_agreement(agency)
    status, agreement = (event["facts"] for event in sandbox.snapshot()["entity"]["events"])
    assert json.dumps(status, separators=(",", ":")) == (
        f'{{"npn":"1","downstreamEntityAssociationId":"{agency.id}",'
        f'"productId":"{product.id}","productName":"Property & Casualty",'
        f'"state":{{"stateCode":"CA","complianceStatus":"COMPLIANT",{LICENSED},{NOT_REQUIRED}}},'
        '"was":"NOT_COMPLIANT","wasLicense":"Missing License","wasAppointment":"Not Required"}'
    )
    assert list(agreement) == [
        "downstreamEntityAssociationId",
        "downstreamEntityId",
        "producerCode",
        "branchName",
        "contractContainerInstanceId",
        "signedFileDocumentId",
    ]


def test_an_event_without_an_entry_is_not_sent(sandbox: Sandbox, sent: Sent) -> None:
    """An agency that is removed within the minute leaves nothing to say."""
    sandbox.products.add(states=["CA"], required_company_code=None)
    agency = sandbox.associations.add(downstream_entity_npn="1")
    sandbox.licenses.add(npn="1")
    sandbox.associations.remove(agency)
    assert sent(AGENCY) == []
