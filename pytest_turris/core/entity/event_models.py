"""The four documented events, in documented member order, with the documented example values.

Source: guides/webhooks and its four event pages. Values whose list could not be read in full
(statuses, state codes) are plain strings. The models forbid unknown members: they describe what
Turris sends, and a receiver must tolerate more. Both the webhook factory and the sandbox itself
make their events with these models.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, field_validator

from pytest_turris.core.wire.model import ObjectId, TurrisModel

EventKind = Literal[
    "AGENT_COMPLIANCE_STATUS_CHANGE",
    "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE",
    "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED",
    "PRODUCER_AGREEMENT_EXECUTED",
]
"""The documented values of ``webhookType``."""


class _EventPart(TurrisModel):
    """An event, or an object inside one."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    def given_members(self) -> dict[str, Any]:
        """The JSON object of exactly the members that were given; None becomes ``null``."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class StatusEntry(_EventPart):
    """A license's or an appointment's status: ``{statusName, statusMessages?}``.

    ``statusMessages`` is absent, never empty, if there are none (documented example).
    """

    status_name: str
    status_messages: list[str] | None = None

    @field_validator("status_messages")
    @classmethod
    def _nothing_to_say(cls, messages: list[str] | None) -> list[str] | None:
        return messages or None


class StateEntry(_EventPart):
    """One state of a product: its compliance, and the two statuses that it follows from."""

    state_code: str
    compliance_status: str
    license_status: StatusEntry
    appointment_status: StatusEntry


def _example_states() -> list[StateEntry]:
    return [
        StateEntry(
            state_code="CA",
            compliance_status="COMPLIANT",
            license_status=StatusEntry(status_name="Licensed"),
            appointment_status=StatusEntry(status_name="Appointed"),
        ),
        StateEntry(
            state_code="FL",
            compliance_status="NOT_COMPLIANT",
            license_status=StatusEntry(
                status_name="Missing License",
                status_messages=["Required license class not found"],
            ),
            appointment_status=StatusEntry(
                status_name="Missing Carrier",
                status_messages=["No active appointment with required carrier"],
            ),
        ),
    ]


class ProductCompliance(_EventPart):
    """One product of an entry: ``{productId, productName?, states[]}``."""

    product_id: ObjectId = "507f1f77bcf86cd799439012"
    product_name: str | None = "Property & Casualty"
    states: list[StateEntry] = Field(default_factory=_example_states)


class ComplianceEntry(_EventPart):
    """One entity whose compliance changed, with every product and state that did.

    ``legalName`` and ``branchName`` are the agency's, for an agent too (documented). Which members
    may be ``null`` is not documented: the sandbox sends ``null`` for an agency without an NPN or
    a producer code (assumed). An agent without an agency is in no event.
    """

    entity: str
    downstream_entity_association_id: ObjectId = "507f1f77bcf86cd799439011"
    legal_name: str = "Acme Insurance Agency"
    branch_name: str = "Main Branch"
    producer_code: str | None = "ABC123"
    npn: str | None = "1234567"
    products: list[ProductCompliance] = Field(default_factory=lambda: [ProductCompliance()])


class AgentComplianceEntry(ComplianceEntry):
    """An entry about an agent, who is identified by ``npn`` (derived from the example)."""

    entity: Literal["agent"] = "agent"


class DownstreamEntityComplianceEntry(ComplianceEntry):
    """An entry about an agency."""

    entity: Literal["downstreamEntity"] = "downstreamEntity"


class ComplianceChange(_EventPart):
    """A change of compliance in one state of a product, from which entries are made.

    ``was`` is the compliance status before the change, ``was_license`` and ``was_appointment`` are
    the names of the statuses that it followed from.
    """

    npn: str | None
    downstream_entity_association_id: ObjectId
    product_id: ObjectId
    product_name: str
    state: StateEntry
    was: str
    was_license: str = ""
    was_appointment: str = ""

    @property
    def before(self) -> tuple[str, str, str]:
        """The three statuses before the change, by name."""
        return self.was, self.was_license, self.was_appointment

    @property
    def after(self) -> tuple[str, str, str]:
        """The three statuses after it."""
        state = self.state
        return (
            state.compliance_status,
            state.license_status.status_name,
            state.appointment_status.status_name,
        )


class Synchronization(_EventPart):
    """The end of a NIPR fetch. Of the statuses only ``success`` could be read in the guide.

    ``niprDataSubscriptionId`` is one of the Compliance Data Subscriptions API (documented).
    """

    entity_type: Literal["Agent", "DownstreamEntity", "UpstreamEntity"] = "Agent"
    npn: str = "1234567"
    synchronization_status: str = "success"
    nipr_data_subscription_id: ObjectId = "507f1f77bcf86cd799439013"


class ExecutedAgreement(_EventPart):
    """An agreement that both parties signed.

    ``producerCode`` is ``null`` until one is assigned; the last four members are absent for
    envelopes signed before the contract container migration (documented).
    """

    downstream_entity_association_id: ObjectId = "507f1f77bcf86cd799439011"
    downstream_entity_id: ObjectId = "507f1f77bcf86cd799439012"
    producer_code: str | None = "03-e55f06b3-618c-4bf2-b578-efae34a87a6e"
    branch_name: str = "Main Branch"
    contract_container_instance_id: ObjectId | None = "6a171043c80172422211a416"
    contract_container_template_id: ObjectId | None = "6a13495a5415a8bb4ac83b5d"
    contract_container_template_name: str | None = "Producer Agreement"
    signed_file_document_id: ObjectId | None = "6a1710bcc80172422211a421"

    def wire(self) -> dict[str, Any]:
        """The JSON object that Turris sends: ``producerCode`` stays, as ``null``."""
        unset = {name for name, value in self if value is None} - {"producer_code"}
        return self.model_dump(mode="json", by_alias=True, exclude=unset)


class WebhookEvent(_EventPart):
    """The envelope of every event: ``{webhookType, upstreamEntityId, payload}``.

    No event id, delivery id or time is documented.
    """

    webhook_type: str
    upstream_entity_id: ObjectId = "507f1f77bcf86cd799439010"
    payload: Any


class AgentComplianceStatusChange(WebhookEvent):
    """Agents' compliance changed; ``payload`` is an array. Turris debounces it by a minute."""

    webhook_type: Literal["AGENT_COMPLIANCE_STATUS_CHANGE"] = "AGENT_COMPLIANCE_STATUS_CHANGE"
    payload: list[AgentComplianceEntry] = Field(default_factory=lambda: [AgentComplianceEntry()])


class DownstreamEntityComplianceStatusChange(WebhookEvent):
    """Agencies' compliance changed; ``payload`` is an array. Turris debounces it by a minute."""

    webhook_type: Literal["DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE"] = (
        "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE"
    )
    payload: list[DownstreamEntityComplianceEntry] = Field(
        default_factory=lambda: [DownstreamEntityComplianceEntry()]
    )


class EntityComplianceDataSynchronized(WebhookEvent):
    """A NIPR fetch or refresh finished; ``payload`` is an object. Sent at once."""

    webhook_type: Literal["ENTITY_COMPLIANCE_DATA_SYNCHRONIZED"] = (
        "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED"
    )
    payload: Synchronization = Field(default_factory=Synchronization)


class ProducerAgreementExecuted(WebhookEvent):
    """Both parties signed an agreement; ``payload`` is an object. Sent at once."""

    webhook_type: Literal["PRODUCER_AGREEMENT_EXECUTED"] = "PRODUCER_AGREEMENT_EXECUTED"
    payload: ExecutedAgreement = Field(default_factory=ExecutedAgreement)

    def wire(self) -> dict[str, Any]:
        """The JSON object that Turris sends."""
        return super().wire() | {"payload": self.payload.wire()}


EVENTS: Mapping[str, type[WebhookEvent]] = MappingProxyType(
    {
        "AGENT_COMPLIANCE_STATUS_CHANGE": AgentComplianceStatusChange,
        "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE": DownstreamEntityComplianceStatusChange,
        "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED": EntityComplianceDataSynchronized,
        "PRODUCER_AGREEMENT_EXECUTED": ProducerAgreementExecuted,
    }
)
"""The documented events by their ``webhookType``."""
