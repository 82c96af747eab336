"""The four documented events, in documented member order, with the documented example values.

Source: guides/webhooks and its four event pages. Values whose list could not be read in full
(statuses, state codes) are plain strings. The models forbid unknown members: they describe what
Turris sends, and a receiver must tolerate more. Both the webhook factory and the sandbox itself
make their events with these models.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from pytest_turris.core.entity.event_facts import (
    EventMember,
    ExecutedAgreement,
    StateEntry,
    StatusEntry,
    Synchronization,
)
from pytest_turris.core.wire.model import ObjectId


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


class ProductCompliance(EventMember):
    """One product of an entry: ``{productId, productName?, states[]}``."""

    product_id: ObjectId = "507f1f77bcf86cd799439012"
    product_name: str | None = "Property & Casualty"
    states: list[StateEntry] = Field(default_factory=_example_states)


class ComplianceEntry(EventMember):
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


class WebhookEvent(EventMember):
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
