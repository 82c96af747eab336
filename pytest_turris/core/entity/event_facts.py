"""What happens in an upstream entity that Turris sends events about.

The members are those of the documented payloads (guides/webhooks and its four event pages); values
whose list could not be read in full (statuses, state codes) are plain strings. The models forbid
unknown members: they describe what Turris sends, and a receiver must tolerate more.
"""

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, field_validator

from pytest_turris.core.wire.model import ObjectId, TurrisModel

EventKind = Literal[
    "AGENT_COMPLIANCE_STATUS_CHANGE",
    "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE",
    "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED",
    "PRODUCER_AGREEMENT_EXECUTED",
]
"""The documented values of ``webhookType``."""


class EventMember(TurrisModel):
    """An event, or an object inside one."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    def given_members(self) -> dict[str, Any]:
        """The JSON object of exactly the members that were given; None becomes ``null``."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class StatusEntry(EventMember):
    """A license's or an appointment's status: ``{statusName, statusMessages?}``.

    ``statusMessages`` is absent, never empty, if there are none (documented example).
    """

    status_name: str
    status_messages: list[str] | None = None

    @field_validator("status_messages")
    @classmethod
    def _nothing_to_say(cls, messages: list[str] | None) -> list[str] | None:
        return messages or None


class StateEntry(EventMember):
    """One state of a product: its compliance, and the two statuses that it follows from."""

    state_code: str
    compliance_status: str
    license_status: StatusEntry
    appointment_status: StatusEntry


class ComplianceChange(EventMember):
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


class Synchronization(EventMember):
    """The end of a NIPR fetch. Of the statuses only ``success`` could be read in the guide.

    ``niprDataSubscriptionId`` is one of the Compliance Data Subscriptions API (documented).
    """

    entity_type: Literal["Agent", "DownstreamEntity", "UpstreamEntity"] = "Agent"
    npn: str = "1234567"
    synchronization_status: str = "success"
    nipr_data_subscription_id: ObjectId = "507f1f77bcf86cd799439013"


class ExecutedAgreement(EventMember):
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
