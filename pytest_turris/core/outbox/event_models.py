"""The four documented events, in documented member order, with the documented example values.

Source: guides/webhooks and its four event pages. Values whose list could not be read in full
(statuses, state codes) are plain strings. The models forbid unknown members: they describe what
Turris sends, and a receiver must tolerate more.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, field_validator

from pytest_turris.core.wire.model import ObjectId, TurrisModel


class _Sent(TurrisModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


class Status(_Sent):
    """A license's or an appointment's status: ``{statusName, statusMessages?}``.

    ``statusMessages`` is absent, never empty, when there is nothing to say (documented example).
    """

    status_name: str
    status_messages: list[str] | None = None

    @field_validator("status_messages")
    @classmethod
    def _nothing_to_say(cls, messages: list[str] | None) -> list[str] | None:
        return messages or None


class StateCompliance(_Sent):
    """One state of a product: its compliance, and the two statuses that it follows from."""

    state_code: str
    compliance_status: str
    license_status: Status
    appointment_status: Status


def _example_states() -> list[StateCompliance]:
    return [
        StateCompliance(
            state_code="CA",
            compliance_status="COMPLIANT",
            license_status=Status(status_name="Licensed"),
            appointment_status=Status(status_name="Appointed"),
        ),
        StateCompliance(
            state_code="FL",
            compliance_status="NOT_COMPLIANT",
            license_status=Status(
                status_name="Missing License",
                status_messages=["Required license class not found"],
            ),
            appointment_status=Status(
                status_name="Missing Carrier",
                status_messages=["No active appointment with required carrier"],
            ),
        ),
    ]


class ProductCompliance(_Sent):
    """One product of an entry: ``{productId, productName?, states[]}``."""

    product_id: ObjectId = "507f1f77bcf86cd799439012"
    product_name: str | None = "Property & Casualty"
    states: list[StateCompliance] = Field(default_factory=_example_states)


class ComplianceEntry(_Sent):
    """One entity whose compliance changed, with every product and state of it.

    ``legalName`` and ``branchName`` are the agency's, for an agent too (documented).
    """

    entity: str
    downstream_entity_association_id: ObjectId = "507f1f77bcf86cd799439011"
    legal_name: str = "Acme Insurance Agency"
    branch_name: str = "Main Branch"
    producer_code: str | None = "ABC123"
    npn: str = "1234567"
    products: list[ProductCompliance] = Field(default_factory=lambda: [ProductCompliance()])


class AgentEntry(ComplianceEntry):
    """An entry about an agent, who is identified by ``npn`` (derived from the example)."""

    entity: Literal["agent"] = "agent"


class DownstreamEntityEntry(ComplianceEntry):
    """An entry about an agency."""

    entity: Literal["downstreamEntity"] = "downstreamEntity"


class Synchronization(_Sent):
    """The end of a NIPR fetch. Of the statuses only ``success`` could be read in the guide.

    ``niprDataSubscriptionId`` is one of the Compliance Data Subscriptions API (documented).
    """

    entity_type: Literal["Agent", "DownstreamEntity", "UpstreamEntity"] = "Agent"
    npn: str = "1234567"
    synchronization_status: str = "success"
    nipr_data_subscription_id: ObjectId = "507f1f77bcf86cd799439013"


class ExecutedAgreement(_Sent):
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


class Event(_Sent):
    """The envelope of every event: ``{webhookType, upstreamEntityId, payload}``.

    No event id, delivery id or time is documented.
    """

    webhook_type: str
    upstream_entity_id: ObjectId = "507f1f77bcf86cd799439010"


class AgentComplianceStatusChange(Event):
    """Agents' compliance changed; ``payload`` is an array. Turris debounces it by a minute."""

    webhook_type: Literal["AGENT_COMPLIANCE_STATUS_CHANGE"] = "AGENT_COMPLIANCE_STATUS_CHANGE"
    payload: list[AgentEntry] = Field(default_factory=lambda: [AgentEntry()])


class DownstreamEntityComplianceStatusChange(Event):
    """Agencies' compliance changed; ``payload`` is an array. Turris debounces it by a minute."""

    webhook_type: Literal["DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE"] = (
        "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE"
    )
    payload: list[DownstreamEntityEntry] = Field(default_factory=lambda: [DownstreamEntityEntry()])


class EntityComplianceDataSynchronized(Event):
    """A NIPR fetch or refresh finished; ``payload`` is an object. Sent at once."""

    webhook_type: Literal["ENTITY_COMPLIANCE_DATA_SYNCHRONIZED"] = (
        "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED"
    )
    payload: Synchronization = Field(default_factory=Synchronization)


class ProducerAgreementExecuted(Event):
    """Both parties signed an agreement; ``payload`` is an object. Sent at once."""

    webhook_type: Literal["PRODUCER_AGREEMENT_EXECUTED"] = "PRODUCER_AGREEMENT_EXECUTED"
    payload: ExecutedAgreement = Field(default_factory=ExecutedAgreement)

    def wire(self) -> dict[str, Any]:
        """The JSON object that Turris sends."""
        return super().wire() | {"payload": self.payload.wire()}


EVENTS: Mapping[str, type[Event]] = MappingProxyType(
    {
        "AGENT_COMPLIANCE_STATUS_CHANGE": AgentComplianceStatusChange,
        "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE": DownstreamEntityComplianceStatusChange,
        "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED": EntityComplianceDataSynchronized,
        "PRODUCER_AGREEMENT_EXECUTED": ProducerAgreementExecuted,
    }
)
"""The documented events by their ``webhookType``."""
