"""Fetches of an agent's or agency's data from NIPR: queued first; later they succeed or fail.

That a fetch is asynchronous and takes a few minutes is documented (compliance-data-subscriptions),
and so is the event at its end. The help centre mentions data that is not yet pulled, and fetches
that failed; the words for them are assumed.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pytest_turris.core.clock import later
from pytest_turris.core.entity.event_facts import Synchronization
from pytest_turris.core.entity.events import EventLog
from pytest_turris.core.entity.records import EntityRecords, Owner
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.resources.subscriptions import NiprDataSubscription


class NiprSync:
    """Queues the fetches of one upstream entity, and ends them."""

    def __init__(self, records: EntityRecords, events: EventLog) -> None:
        self._records = records
        self._events = events

    def enqueue(self, owner: Owner) -> None:
        """Queue a fetch, unless one is queued already or there is no NPN to fetch."""
        subscription = owner.nipr_data_subscription
        if subscription is None or subscription.sync_due is not None:
            return
        records = self._records
        self._change(
            owner,
            entity_info={"status": "queued", "job_id": records.randomness.object_id()},
            sync_due=later(records.clock.now(), records.options.sync_duration),
        )

    def begin_again(self, end: dt.datetime) -> None:
        """Let the fetches that are queued end at a moment, if they would end later."""
        for owner in [*self._records.agents, *self._records.associations]:
            subscription = owner.nipr_data_subscription
            due = subscription.sync_due if subscription else None
            if due is not None and due > end:
                self._change(owner, sync_due=end)

    def finish(self, subscription_id: str, at: dt.datetime) -> None:
        """End the fetch that is due at a moment, if it still is, and log the event."""
        owner = self._records.owner(subscription_id)
        subscription = owner.nipr_data_subscription if owner else None
        if owner is None or subscription is None or subscription.sync_due != at:
            return
        problem = self._problem(owner, subscription)
        outcome = {"status": "failed", "message": problem} if problem else {"status": "success"}
        self._change(
            owner,
            entity_info=dict(subscription.entity_info) | outcome,
            last_synchronization_date=subscription.last_synchronization_date if problem else at,
            sync_due=None,
            names={} if problem else self._names(owner),
        )
        self._events.append(
            "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED",
            at,
            Synchronization(
                entity_type=subscription.entity_model,
                npn=subscription.npn,
                synchronization_status=outcome["status"],
                nipr_data_subscription_id=subscription.id,
            ),
        )

    def _problem(self, owner: Owner, subscription: NiprDataSubscription) -> str:
        """The message of a fetch that fails; empty if it succeeds."""
        npns, npn = self._records.npns, subscription.npn
        if self._records.options.sync_outcome == "failed":
            return "NIPR is unavailable"
        if npns.find(npn) is None and not subscription.is_pending:
            return ""  # synchronised before, so that NIPR knows it
        return npns.why_not(npn, "firm" if isinstance(owner, Association) else "individual")

    def _names(self, owner: Owner) -> dict[str, str]:
        """NIPR's names take precedence (help centre), its middle name only if none is given.

        Where ``npns`` has none, and none is given, they are invented.
        """
        if isinstance(owner, Association):
            held = owner.downstream_entity.legal_name
            return {"legal_name": held or f"Agency {owner.npn}"} | self._records.npns.firm(
                owner.npn
            )
        names = self._records.npns.individual(owner.npn)
        if owner.agent.middle_name is not None:
            names.pop("middle_name", None)
        return names | self._records.agents.invented(dict(owner.agent) | names)

    def _change(
        self,
        owner: Owner,
        names: Mapping[str, str] | None = None,
        **members: Any,  # noqa: ANN401 - NiprDataSubscription's fields
    ) -> None:
        subscription = dict(owner.nipr_data_subscription or ()) | members
        named = dict(names or {})
        if isinstance(owner, Association):
            self._records.associations.update(
                owner,
                nipr_data_subscription=subscription,
                downstream_entity=dict(owner.downstream_entity) | named,
            )
        else:
            self._records.agents.update(owner, nipr_data_subscription=subscription, **named)
