"""NIPR data subscriptions: where an agent's or agency's license data comes from.

The members are those of the documented samples; the values of ``status`` (such as ``queued`` and
``success``), ``dataOwnerModel`` and ``entityModel`` are assumed.
"""

import datetime as dt
from typing import Any, ClassVar, Literal

from pydantic import Field

from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.record import WireModel
from pytest_turris.core.wire.model import ObjectId, Timestamp

EntityModel = Literal["Agent", "DownstreamEntity", "UpstreamEntity"]


class EntityInfo(WireModel):
    """How the last fetch from NIPR went."""

    status: str
    job_id: str | None = None
    message: str | None = None
    raw_entity_info_id: str | None = None


class NiprDataSubscription(WireModel):
    """The subscription in an agent or association.

    Neither ``id``, which licenses and appointments refer to, nor ``sync_due``, the moment when a
    queued sync will be done, is shown.
    """

    internal_fields: ClassVar[frozenset[str]] = frozenset({"id", "sync_due"})

    id: ObjectId = Field(alias="_id")
    data_owner_id: ObjectId
    data_owner_model: str = "UpstreamEntity"
    entity_model: EntityModel
    entity_info: EntityInfo = Field(default_factory=lambda: EntityInfo(status="success"))
    npn: str
    last_synchronization_date: Timestamp | None = None
    pdb_alerts_subscription_status: str | None = "active"
    pdb_alerts_paused_at: Timestamp | None = None
    sync_due: Timestamp | None = None


def synchronised(
    randomness: Randomness, now: dt.datetime, owner_id: str, entity_model: EntityModel, npn: str
) -> dict[str, Any]:
    """A new subscription whose first fetch is done."""
    return {
        "id": randomness.object_id(),
        "data_owner_id": owner_id,
        "entity_model": entity_model,
        "entity_info": {"status": "success", "job_id": randomness.object_id()},
        "npn": npn,
        "last_synchronization_date": now,
    }
