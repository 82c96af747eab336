"""Watches compliance: compares it with what was known before, and logs what changed.

An agent is watched in the states of its authority for a product, or in all of the product's if
it has none; an agency in all of the product's states (assumed). The first known compliance of an
agent or agency is not a change. Where a product is not sold it requires nothing (assumed): if it
comes to a state, or leaves one, the requirements there change.
"""

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import Any

from pytest_turris.core.changes import Changes
from pytest_turris.core.entity.event_facts import ComplianceChange, EventKind, StateEntry
from pytest_turris.core.entity.events import EventLog
from pytest_turris.core.entity.records import EntityRecords, Owner, is_pending
from pytest_turris.core.resources.agents import AgentEntry
from pytest_turris.core.resources.appointments import Appointment
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.resources.compliance import (
    NOT_SOLD,
    PENDING,
    ComplianceResult,
    assess_compliance,
)
from pytest_turris.core.resources.licenses import License
from pytest_turris.core.resources.products import Product
from pytest_turris.core.resources.record import Record
from pytest_turris.core.wire.model import StateCode

_Summary = tuple[str, str, str]
_Place = tuple[str, StateCode]
Known = dict[_Place, _Summary]

_AGENT: EventKind = "AGENT_COMPLIANCE_STATUS_CHANGE"
_AGENCY: EventKind = "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE"


class ComplianceWatch:
    """The last known compliance of every agent and agency, by product and state."""

    changes: Changes | None = None
    """Where changed rows are noted, if something keeps the state."""

    def __init__(self, records: EntityRecords, events: EventLog) -> None:
        self._records = records
        self._events = events
        self._known: dict[str, Known] = {}

    def changed(self, old: Record | None, new: Record | None, at: dt.datetime) -> None:
        """Reassess every agent and agency that a change of a record may concern."""
        record = new or old
        if isinstance(record, Product):
            for owner in self._owners():
                self._reassess(owner, at, record)
        elif isinstance(record, License | Appointment):
            for npn in {one.npn for one in (old, new) if isinstance(one, License | Appointment)}:
                self.reassess(npn, at)
        elif isinstance(new, AgentEntry | Association):
            self._reassess(new, at)
        elif isinstance(old, AgentEntry | Association):
            self._records.undo.copies(self, "_known")
            self._known.pop(old.key, None)
            if self.changes is not None:
                self.changes.gone("entity.watch", old.key)

    def reassess(self, npn: str, at: dt.datetime) -> None:
        """Assess the agents and agencies with an NPN as of a moment, and log what changed."""
        for owner in self._records.owners(npn):
            self._reassess(owner, at)

    def record_baseline(self, at: dt.datetime) -> None:
        """Take the compliance at a moment as known, without logging it."""
        before = self._known
        self._records.undo.attributes(self, "_known")
        self._known = {
            owner.key: {key: now.summary for key, _, now in self._assessed(owner, at)}
            for owner in self._owners()
            if not self._is_unknown(owner)
        }
        if self.changes is not None:
            for owner in before.keys() - self._known.keys():
                self.changes.gone("entity.watch", owner)
            for owner in self._known:
                self._mark(owner)

    def rows(self) -> Iterator[tuple[str, Any]]:
        """Each agent or agency by its key, with what is known about it as JSON data."""
        for owner in self._known:
            yield owner, self._plain(owner)

    def snapshot(self) -> list[Any]:
        """What is known, as JSON data."""
        return [row for _, row in self.rows()]

    def restore(self, rows: list[Any]) -> None:
        """Replace what is known with a snapshot's."""
        self._known = {
            owner: {(p, s): (c, held, a) for p, s, c, held, a in known} for owner, known in rows
        }

    def take_over(self, owner: str, row: list[Any] | None) -> None:
        """Take over what is known elsewhere about an agent or agency; None if it is gone there."""
        if row is None:
            self._known.pop(owner, None)
        else:
            self._known[owner] = {(p, s): (c, held, a) for p, s, c, held, a in row[1]}

    def _owners(self) -> Iterator[Owner]:
        yield from self._records.agents
        yield from self._records.associations

    def _reassess(self, owner: Owner, at: dt.datetime, changed: Product | None = None) -> None:
        """Assess an agent or agency as of a moment, and log what changed.

        With a product that changed, also where it came to a state or left one.
        """
        if self._is_unknown(owner):
            return  # what is known stays known until NIPR has data
        after = {place: (product, now) for place, product, now in self._assessed(owner, at)}
        if (before := self._known.get(owner.key)) is not None:
            was, results = before, after
            if changed is not None:
                places = [place for place in (*before, *after) if place[0] == changed.id]
                was = dict.fromkeys(places, NOT_SOLD.summary) | before
                results = dict.fromkeys(places, (changed, NOT_SOLD)) | after
            for place, (product, now) in results.items():
                if was.get(place, now.summary) != now.summary:
                    state = StateEntry.model_validate(now.in_state(place[1]).wire())
                    self._log(owner, product, state, was[place], at)
        self._records.undo.item(self._known, owner.key)
        self._known[owner.key] = {place: now.summary for place, (_, now) in after.items()}
        self._mark(owner.key)

    def _is_unknown(self, owner: Owner) -> bool:
        """Whether no status is compared, because NIPR has no data yet."""
        return is_pending(owner) and self._records.options.first_status_event == "none"

    def _mark(self, owner: str) -> None:
        if self.changes is not None:
            self.changes.mark("entity.watch", owner, partial(self._plain, owner))

    def _plain(self, owner: str) -> list[Any]:
        return [owner, [[*key, *summary] for key, summary in self._known[owner].items()]]

    def _assessed(
        self, owner: Owner, at: dt.datetime
    ) -> Iterator[tuple[_Place, Product, ComplianceResult]]:
        npn, records = owner.npn, self._records
        if not len(records.products) or owner.is_deleted:
            return
        licenses = records.licenses.where(npn=npn) if npn else []
        appointments = records.appointments.where(npn=npn) if npn else []
        for product in records.products:
            for state in _watched_states(owner, product):
                now = (
                    PENDING
                    if is_pending(owner)
                    else assess_compliance(
                        product,
                        state,
                        "agent" if isinstance(owner, AgentEntry) else "agency",
                        npn=npn,
                        licenses=licenses,
                        appointments=appointments,
                        moment=at,
                    )
                )
                yield (product.id, state), product, now

    def _log(
        self, owner: Owner, product: Product, state: StateEntry, was: _Summary, at: dt.datetime
    ) -> None:
        """Log a change once for each agency that it concerns.

        An agent without an agency is in no event: its entry names the agency (documented).
        """
        is_agent = isinstance(owner, AgentEntry)
        for agency_id in owner.association_ids if isinstance(owner, AgentEntry) else [owner.id]:
            change = ComplianceChange(
                npn=owner.npn,
                downstream_entity_association_id=agency_id,
                product_id=product.id,
                product_name=product.name,
                state=state,
                was=was[0],
                was_license=was[1],
                was_appointment=was[2],
            )
            self._events.append(_AGENT if is_agent else _AGENCY, at, change)


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
