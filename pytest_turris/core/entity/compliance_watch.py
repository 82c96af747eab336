"""Watches over compliance: who was how compliant last, and what to write down when it turns.

An agent is watched in the states of its authority for a product, or in all of the product's if
none is given; an agency in all of the product's states (assumed). What is known of somebody for
the first time is no change.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from pytest_turris.core.entity.events import EventLog
from pytest_turris.core.entity.records import EntityRecords, Owner
from pytest_turris.core.resources.agents import AgentEntry
from pytest_turris.core.resources.appointments import Appointment
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.resources.collection import Record
from pytest_turris.core.resources.compliance import StateCompliance, Verdict, judge
from pytest_turris.core.resources.licenses import License
from pytest_turris.core.resources.products import Product
from pytest_turris.core.wire.model import StateCode

Summary = tuple[str, str, str]
Known = dict[tuple[str, str], Summary]


class ComplianceWatch:
    """The last known compliance of everybody, by product and state."""

    def __init__(self, records: EntityRecords, events: EventLog) -> None:
        self._records = records
        self._events = events
        self._known: dict[str, Known] = {}

    def changed(self, old: Record | None, new: Record | None, at: dt.datetime) -> None:
        """Reconsider whoever a change of a record may concern."""
        record = new or old
        if isinstance(record, Product):
            for owner in self._everybody():
                self._consider(owner, at)
        elif isinstance(record, License | Appointment):
            for npn in {one.npn for one in (old, new) if isinstance(one, License | Appointment)}:
                self.reconsider(npn, at)
        elif isinstance(new, AgentEntry | Association):
            self._consider(new, at)
        elif isinstance(old, AgentEntry | Association):
            self._known.pop(old.key, None)

    def reconsider(self, npn: str, at: dt.datetime) -> None:
        """Look at everybody of an NPN as of a moment."""
        for owner in self._records.owners(npn):
            self._consider(owner, at)

    def record_baseline(self, at: dt.datetime) -> None:
        """Know everybody's compliance as of a moment, and write nothing down."""
        self._known = {
            owner.key: {key: now.summary for key, _, now in self._verdicts(owner, at)}
            for owner in self._everybody()
        }

    def snapshot(self) -> list[Any]:
        """What is known, as JSON data."""
        return [
            [owner, [[*key, *summary] for key, summary in known.items()]]
            for owner, known in self._known.items()
        ]

    def restore(self, rows: list[Any]) -> None:
        """Replace what is known by a snapshot's."""
        self._known = {
            owner: {(p, s): (c, held, a) for p, s, c, held, a in known} for owner, known in rows
        }

    def _everybody(self) -> Iterator[Owner]:
        yield from self._records.agents
        yield from self._records.associations

    def _consider(self, owner: Owner, at: dt.datetime) -> None:
        before = self._known.get(owner.key)
        fresh: Known = {}
        for key, product, now in self._verdicts(owner, at):
            fresh[key] = now.summary
            was = before.get(key) if before is not None else None
            if was is not None and was != now.summary:
                self._write(owner, product, now.shown(key[1]), was[0], at)
        self._known[owner.key] = fresh

    def _verdicts(
        self, owner: Owner, at: dt.datetime
    ) -> Iterator[tuple[tuple[str, StateCode], Product, Verdict]]:
        npn, records = owner.npn, self._records
        if not len(records.products) or (isinstance(owner, AgentEntry) and owner.is_deleted):
            return
        licenses = records.licenses.where(npn=npn) if npn else []
        appointments = records.appointments.where(npn=npn) if npn else []
        for product in records.products:
            for state in _watched_states(owner, product):
                now = judge(
                    product,
                    state,
                    npn=npn,
                    licenses=licenses,
                    appointments=appointments,
                    moment=at,
                )
                yield (product.id, state), product, now

    def _write(
        self, owner: Owner, product: Product, now: StateCompliance, was: str, at: dt.datetime
    ) -> None:
        agent = isinstance(owner, AgentEntry)
        association_id = (
            owner.downstream_entity_association_id if isinstance(owner, AgentEntry) else owner.id
        )
        self._events.append(
            "AGENT_COMPLIANCE_STATUS_CHANGE"
            if agent
            else "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE",
            at,
            {
                "npn": owner.npn,
                "downstreamEntityAssociationId": association_id,
                "productId": product.id,
                "productName": product.name,
                "state": now.wire(),
                "was": was,
            },
        )


def _watched_states(owner: Owner, product: Product) -> list[StateCode]:
    if isinstance(owner, Association) or not owner.authority:
        return product.states
    wanted = {
        state
        for authority in owner.authority
        if authority.upstream_entity_product_id == product.id
        for state in (*authority.requested_states, *authority.approved_states)
    }
    return [state for state in product.states if state in wanted]
