"""NIPR data subscriptions: where an agent's or agency's license data comes from.

The members are those of the documented samples; the values of ``status``, ``dataOwnerModel``
and ``entityModel`` are not documented and assumed.
"""

from typing import Literal

from pydantic import Field

from pytest_turris.core.model import ObjectId, Timestamp, TurrisModel


class EntityInfo(TurrisModel):
    """How the last fetch from NIPR went."""

    status: str
    job_id: str | None = None
    message: str | None = None
    raw_entity_info_id: str | None = None


class NiprDataSubscription(TurrisModel):
    """The subscription as agents and associations carry it."""

    data_owner_id: ObjectId
    data_owner_model: str = "UpstreamEntity"
    entity_model: Literal["Agent", "DownstreamEntity", "UpstreamEntity"]
    entity_info: EntityInfo = Field(default_factory=lambda: EntityInfo(status="success"))
    npn: str
    last_synchronization_date: Timestamp | None = None
    pdb_alerts_subscription_status: str | None = "active"
    pdb_alerts_paused_at: Timestamp | None = None
