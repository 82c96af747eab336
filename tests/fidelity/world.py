"""A sandbox with a record of every kind, all members given, and a request for each operation."""

import datetime as dt
import itertools
import json
from typing import Any, get_args
from urllib.parse import quote, urlencode

from doubles.api_recipes import PDF, form

from fidelity.doors import Answer, Door, Received, Receiver
from fidelity.files import ROW, as_csv
from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.entity.records import Owner
from pytest_turris.core.resources.coverages import CoverageKind
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks

NOBODY = "0" * 24
PREFIX = "/v1/downstream-entity-associations"
INVITATION: dict[str, Any] = {
    "useInviteUrl": False,
    "isNpnRequired": True,
    "downstreamEntityName": "ABC Insurance Agency",
    "firstName": "John",
    "lastName": "Doe",
    "email": "john.doe@example.com",
    "category": "agency",
}
ADDITION: dict[str, Any] = {
    "firstName": "John",
    "lastName": "Doe",
    "email": "john.doe@example.com",
    "isNpnRequired": True,
    "category": "agency",
    "downstreamEntityNpn": "87654321",
}


class World:
    """The arranged sandbox behind a door."""

    def __init__(self, sandbox: Sandbox, door: Door, receiver: Receiver) -> None:
        self.sandbox = sandbox
        self._door = door
        self.receiver = receiver
        self._webhooks: TurrisWebhooks | None = None
        self.answers: dict[str, Any] = {}
        """The documents of requests that were sent, for facts about one answer."""
        self.changed_at: dt.datetime | None = None
        self.events: dict[str, list[Any]] = {}
        """The documents of the events that were caused, by type."""
        self._numbers = itertools.count(90_000_000)
        self._arrange()
        self.bearer = sandbox.tokens.issue(sandbox.client).text

    def _arrange(self) -> None:
        box, now = self.sandbox, self.sandbox.clock.now()
        self.product = box.products.add(states=("CA", "FL"))
        self.agency = box.associations.add(
            downstream_entity_npn="11", ein="12-3456789", producer_code="P-1", external_id="E-1",
            email="office@acme.example", branch_name="West",
        )  # fmt: skip
        self.other_agency = box.associations.add(email="else@where.example")
        self.agent = box.agents.add(
            npn="22", email="agent@acme.example", external_id="E-2",
            downstream_entity_association_id=self.agency.id,
            authority=[{
                "upstream_entity_product_id": self.product.id,
                "requested_states": ["CA", "FL"], "approved_states": ["CA"],
            }],
        )  # fmt: skip
        box.agents.add(npn="33")
        box.agents.update(self.agent, nipr_data_subscription=_whole(self.agent, now))
        box.associations.update(self.agency, nipr_data_subscription=_whole(self.agency, now))
        for npn, state in itertools.product(("11", "22"), ("CA", "FL")):
            box.licenses.add(
                npn=npn, state_code=state, license_number="L-1", license_class_name="Surplus Lines"
            )
            box.appointments.add(
                npn=npn, state_code=state, termination_reason="-", appointer_state_co_id="1",
                county_name="Kern",
            )  # fmt: skip
            box.licenses.add(npn=npn, state_code="CA", status="inactive")
            box.appointments.add(npn=npn, state_code="CA", status="terminated")
        action = box.regulatory_actions.add(npn="22", file_ref="F-1")
        box.regulatory_actions.update(
            action, date_of_action=now, effective_date=now, enter_date=now
        )
        self._arrange_papers()
        self._arrange_policies(now)

    def _arrange_papers(self) -> None:
        box, where = self.sandbox, self.agency.id
        for kind in get_args(CoverageKind):
            box.coverages.add(
                downstream_entity_association_id=where, coverage_kind=kind, other_insured=["B"]
            )
        box.documents.add(category="Producer Agreement", downstream_entity_association_id=where)
        box.documents.add(category="W9", downstream_entity_association_id=where)
        box.documents.add(category="Producer Agreement", is_deleted=True)
        self.template = box.templates.add(additional_documents=("W-9 Tax Form",))
        self.custom_template = box.templates.add(
            custom_fields=[{
                "field_name": "commission_rate", "field_type": "number", "value": "1",
                "default_value": "2", "is_required": True, "min_value": 0, "max_value": 99,
            }],
        )  # fmt: skip
        add = box.contacts.add
        self.contact = add(
            downstream_entity_association_id=where, email="k@acme.example",
            business_roles=("Finance Manager",),
        )  # fmt: skip
        add(
            downstream_entity_association_id=where, email="wide@acme.example",
            business_roles=("Support Staff",), visibility="agency",
        )  # fmt: skip
        add(
            downstream_entity_association_id=where, email="hidden@acme.example",
            visibility="another carrier",
        )  # fmt: skip

    def _arrange_policies(self, now: dt.datetime) -> None:
        texts = (
            "agency_name", "agency_npn", "agency_fein", "agency_license_number",
            "agency_licensed_state_code", "agent_name", "agent_npn", "agent_license_number",
            "agent_licensed_state", "producer_name", "producer_code", "product_code",
            "filing_number", "sla_number", "external_billing_id", "license_number", "npn",
        )  # fmt: skip
        amounts = ("aggregate_coverage_in_usd", "coverage_per_claim_in_usd")
        self.policy = self.sandbox.policies.add(
            policy_number="POL-9",
            **dict.fromkeys(texts, "x"),  # type: ignore[arg-type] # texts and amounts
            **dict.fromkeys(amounts, 1.5),  # type: ignore[arg-type] # texts and amounts
        )
        self.sandbox.policies.add(policy_number="POL-8", risk_state_code="TX",
                                  effective_date=now + dt.timedelta(days=9))  # fmt: skip
        self.upload = self.sandbox.uploads.enqueue([ROW, ROW | {"riskStateCode": ""}])
        self.sandbox.clock.advance(minutes=1)
        self.sandbox.settle()

    @property
    def values(self) -> dict[str, str]:
        """What ``@name`` stands for, and the ids in paths."""
        subscription = self.agent.nipr_data_subscription
        assert subscription is not None
        return {
            "agentId": self.agent.id,
            "downstreamEntityAssociationId": self.agency.id,
            "niprDataSubscriptionId": subscription.id,
            "productId": self.product.id,
            "contactId": self.contact.id,
            "policyId": self.policy.id,
            "uploadId": self.upload.upload_id,
            "producerCode": "P-1",
            "email": self.agency.email,
            "templateId": self.template.id,
            "customTemplateId": self.custom_template.id,
            "producerAgreementId": self.template.producer_agreement.file_document_id,
        }

    def value(self, given: Any) -> Any:  # noqa: ANN401 - any JSON value
        """A value of the specification, with ``@name`` replaced, at any depth."""
        if isinstance(given, dict):
            return {name: self.value(inner) for name, inner in given.items()}
        if isinstance(given, str) and given.startswith("@"):
            return self.values[given[1:]]
        return given

    def query_of(self, request: str) -> dict[str, str]:
        """The query with the required parameters."""
        found: dict[str, str] = {}
        if request.endswith("surplus-lines"):
            found = {"fein": "12-3456789", "stateCode": "FL"}
        elif request.endswith("/license-compliance-statuses"):
            found = {"stateCode": "CA", "productId": self.product.id}
        elif request.endswith("/sign-in-url"):
            found = {"email": self.agency.email}
        elif request == "GET /v1/file-documents":
            found = {"category": "Producer Agreement"}
        return found

    def body_of(self, request: str) -> dict[str, Any] | None:
        """The JSON body of a request that succeeds; each call has a new NPN and key."""
        client, npn = self.sandbox.client, str(next(self._numbers))
        bodies: dict[str, dict[str, Any]] = {
            "POST /v1/auth/jwt": {
                "clientId": client.client_id,
                "clientSecret": str(client.client_secret),
            },
            "POST /v1/agents": {
                "npn": npn,
                "email": "a@acme.example",
                "downstreamEntityAssociationId": self.agency.id,
            },
            "POST /v1/npn-lookup": {"npns": [npn]},
            f"POST {PREFIX}/invite": INVITATION,
            f"POST {PREFIX}/dangerously-invite": INVITATION,
            f"POST {PREFIX}/dangerously-add": ADDITION
            | {
                "downstreamEntityNpn": npn,
                "producerCode": npn,
                "externalId": "E",
                "ein": "123456789",
            },
        }
        return bodies.get(request)

    def form_of(self, request: str) -> dict[str, str] | None:
        """The fields of the form of an upload, besides its file."""
        if request == "POST /v1/policies/upload":
            return {}
        if request == "POST /v1/file-documents":
            return {"category": "W9", "downstreamEntityAssociationId": self.agency.id}
        return None

    def send(
        self,
        request: str,
        *,
        ids: dict[str, str] | None = None,
        query: str | dict[str, str] | None = None,
        body: Any = None,  # noqa: ANN401 - any JSON value
        fields: dict[str, str] | None = None,
        file: bytes | None = None,
        file_type: str = "",
        headers: dict[str, str] | None = None,
        keep_limits: bool = False,
    ) -> Answer:
        """Send the request that succeeds, with what is given instead."""
        if not keep_limits:
            self.sandbox.limits.reset()
        method, _, path = request.partition(" ")
        target = path.format(**self.values | (ids or {}))
        asked = self.query_of(request) if query is None else query
        text = asked if isinstance(asked, str) else urlencode(asked, quote_via=quote)
        sent: dict[str, str] = {"authorization": f"Bearer {self.bearer}"} if self.bearer else {}
        content = b""
        own_form = self.form_of(request) if fields is None else fields
        if own_form is not None:
            default = as_csv([ROW]) if "policies" in path else PDF
            kind = file_type or ("text/csv" if "policies" in path else "application/pdf")
            more, content = form(own_form, default if file is None else file, kind)
            sent |= more
            if headers and headers.pop("x-without-file", ""):
                content = content.replace(b'name="file"', b'name="no-file"')
        elif method != "GET":
            document = self.body_of(request) if body is None else body
            if document is not None:
                sent["content-type"] = "application/json"
                content = json.dumps(document).encode()
        sent |= headers or {}
        given = {name: value for name, value in sent.items() if value}
        return self._door(method, f"{target}?{text}" if text else target, given, content)

    def listen(self) -> TurrisWebhooks:
        """Register the door's receiver for every type of event."""
        if self._webhooks is None:
            self._webhooks = TurrisWebhooks.of(self.sandbox)
            for kind in EVENTS:
                self._webhooks.register(self.receiver.target, event=kind)
        return self._webhooks

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to a state; the receiver is another one then, and has got nothing."""
        self.sandbox.restore(snapshot)
        self.sandbox.faults.clear()
        self._webhooks = None
        self.receiver.received.clear()
        self.receiver.status = 200
        self.changed_at = None

    def drained(self) -> list[Received]:
        """What the receiver got up to now, and has not been asked for before."""
        self.listen().deliver_due()
        found, self.receiver.received[:] = list(self.receiver.received), []
        return found


def _whole(owner: Owner, at: dt.datetime) -> dict[str, Any]:
    """The owner's subscription with every documented member."""
    subscription = dict(owner.nipr_data_subscription or ())
    info = dict(subscription["entity_info"])
    info |= {"message": "done", "raw_entity_info_id": NOBODY}
    return subscription | {"entity_info": info, "pdb_alerts_paused_at": at}
