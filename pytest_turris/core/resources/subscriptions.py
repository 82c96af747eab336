"""NIPR data subscriptions: where an agent's or agency's license data comes from.

The members are those of the documented samples; the values of ``status`` (such as ``queued`` and
``success``), ``dataOwnerModel`` and ``entityModel`` are assumed.
"""

import datetime as dt
from typing import Any, ClassVar, Literal

from pydantic import Field

from pytest_turris.core.clock import later
from pytest_turris.core.resources.collection import CollectionHolder
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

    @property
    def is_pending(self) -> bool:
        """Whether no fetch from NIPR has succeeded yet."""
        return self.last_synchronization_date is None


def subscribed(
    holder: CollectionHolder, entity_model: EntityModel, npn: str, *, synchronized: bool
) -> dict[str, Any]:
    """A new subscription, whose first fetch is done or queued (option ``first_sync``)."""
    now, randomness, options = holder.clock.now(), holder.randomness, holder.options
    first: dict[str, Any] = {"last_synchronization_date": now}
    if not synchronized:
        waits = options.first_sync == "queued"
        first = {"sync_due": later(now, options.sync_duration) if waits else now}
    return first | {
        "id": randomness.object_id(),
        "data_owner_id": holder.upstream_entity_id,
        "entity_model": entity_model,
        "entity_info": {
            "status": "success" if synchronized else "queued",
            "job_id": randomness.object_id(),
        },
        "npn": npn,
    }


def resumed(subscription: NiprDataSubscription | None) -> dict[str, Any] | None:
    """A subscription whose PDB alerts are sent again; or None if there is no subscription."""
    if subscription is None:
        return None
    return dict(subscription) | {
        "pdb_alerts_subscription_status": "active",
        "pdb_alerts_paused_at": None,
    }


def paused(subscription: NiprDataSubscription | None, at: dt.datetime) -> dict[str, Any] | None:
    """A subscription whose PDB alerts are paused; or None if there is no subscription."""
    if subscription is None:
        return None
    return dict(subscription) | {
        "pdb_alerts_subscription_status": "paused",
        "pdb_alerts_paused_at": at,
    }
