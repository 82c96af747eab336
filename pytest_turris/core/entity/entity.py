"""The upstream entity: its records, and what follows from a change or from time."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from pytest_turris.core.changes import Changes, Row
from pytest_turris.core.clock import Clock, later
from pytest_turris.core.entity.compliance_watch import ComplianceWatch
from pytest_turris.core.entity.event_facts import ExecutedAgreement
from pytest_turris.core.entity.events import EventLog
from pytest_turris.core.entity.nipr_sync import NiprSync
from pytest_turris.core.entity.policy_upload.upload_worker import UploadWorker
from pytest_turris.core.entity.records import COLLECTIONS, EntityRecords, Owner
from pytest_turris.core.entity.schedule import DueEntry, Schedule
from pytest_turris.core.options import Options
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.agents import AgentEntry
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.resources.coverages import Coverage
from pytest_turris.core.resources.licenses import License
from pytest_turris.core.resources.record import Record, RecordError
from pytest_turris.core.resources.uploads import Upload
from pytest_turris.core.undo import Undo


class UpstreamEntity:
    """A carrier, MGA or wholesaler with its records. Empty until something is added.

    It listens to the changes of its records. Nothing runs in the background: ``settle`` carries
    out what has become due, in order and as of its moment, whenever the state is used.
    """

    def __init__(
        self, clock: Clock, randomness: Randomness, options: Options, undo: Undo | None = None
    ) -> None:
        self._undo = undo or Undo()
        self._clock = clock
        self._randomness = randomness
        self._options = options
        self.records: EntityRecords = EntityRecords(
            clock, randomness, options, listener=self, undo=self._undo
        )
        self.events: EventLog = EventLog(self._undo)
        self._schedule = Schedule(self._undo)
        self._settled_at = clock.now()
        self._carried_out = self._settled_at
        self._busy = False
        self._silent = False

    # Most tests need none of these, and every test makes an entity.

    @cached_property
    def _watch(self) -> ComplianceWatch:
        return ComplianceWatch(self.records, self.events)

    @cached_property
    def _uploads(self) -> UploadWorker:
        return UploadWorker(self.records)

    @cached_property
    def _nipr(self) -> NiprSync:
        return NiprSync(self.records, self.events)

    def settle(self) -> None:
        """Carry out what is due by now."""
        if self._busy:
            return
        now = self._clock.now()
        if now >= self._settled_at and not self._schedule.is_due(now):
            self._carried_out = now  # most calls find no work, and have nothing to take back
            return
        self._undo.attributes(self, "_busy", "_settled_at")
        self._busy = True
        try:
            if now < self._settled_at:
                self._go_back(now)
            while (due := self._schedule.pop_due(now)) is not None:
                self._settled_at = due[0]
                self._carry_out(due)
            self._carried_out = now
        finally:
            self._busy = False

    @property
    def may_take_long(self) -> bool:
        """Whether something is due by now, or there are thousands of records."""
        if self.records.are_many:
            return True
        # Mostly nothing is scheduled, and to read the clock takes longer than to see that.
        return self._schedule.first is not None and self._schedule.is_due(self._clock.now())

    def changed(self, old: Record | None, new: Record | None) -> None:
        """Follow a change of a record: schedule what it makes due, update what depends on it."""
        if not self._busy:
            self._undo.attributes(self, "_settled_at")
            self._settled_at = self._clock.now()
        if new is not None:
            self._plan(new)
        if isinstance(new, Association) and (old is None or isinstance(old, Association)):
            self.records.contacts.follow(old, new)
            if old is not None and old.is_deleted != new.is_deleted:
                self.records.follow_deletion(new)
        elif isinstance(old, Association):
            self.records.remove_dependents(old)
        if not self._silent:
            self._watch.changed(old, new, self._settled_at)

    @contextmanager
    def without_events(self) -> Iterator[None]:
        """A block whose changes set up a state: they log no events."""
        self._undo.attributes(self, "_silent")
        self._silent = True
        try:
            yield
        finally:
            self._silent = False
            self._watch.record_baseline(self._clock.now())

    def enqueue_sync(self, owner: Owner) -> None:
        """Queue a fetch from NIPR, unless one is queued already or there is no NPN to fetch."""
        self._nipr.enqueue(owner)

    def execute_agreement(self, association_id: str) -> None:
        """Log that both parties signed an association's producer agreement, with its document.

        Raises:
            UnknownRecordError: There is no such association.
            RecordError: Its agreement was executed before.
        """
        association = self.records.associations.get(association_id)
        if association.agreement_executed_at is not None:
            raise RecordError(f"the agreement of association {association_id} is executed already")
        now = self._clock.now()
        signed = self.records.documents.add(
            category="Producer Agreement", downstream_entity_association_id=association_id
        )
        self.records.associations.update(association, agreement_executed_at=now, is_invited=False)
        template = self.records.templates.find(association.contract_container_template_id or "")
        agreement = ExecutedAgreement(
            downstream_entity_association_id=association.id,
            downstream_entity_id=association.downstream_entity.id,
            producer_code=association.producer_code,
            branch_name=association.branch_name or "",
            contract_container_instance_id=self._randomness.object_id(),
            signed_file_document_id=signed.id,
        )
        if template is not None:
            agreement.contract_container_template_id = template.id
            agreement.contract_container_template_name = template.name
        self.events.append("PRODUCER_AGREEMENT_EXECUTED", now, agreement)

    def note_changes(self, changes: Changes) -> None:
        """Note each change of the state from now on."""
        for part in (self.records, self.events, self._watch):
            part.changes = changes

    @property
    def next_due(self) -> dt.datetime | None:
        """When time changes something again; None if it never does."""
        return self._schedule.first

    @property
    def carried_out(self) -> str:
        """The moment up to which all due work is done."""
        return self._carried_out.isoformat()

    def take_over_facts(self, data: dict[str, Any], carried_out: str) -> None:
        """Take over the facts, which are not rows, from another process, before any row."""
        moment = dt.datetime.fromisoformat(carried_out)
        self.records.upstream_entity_id = data["id"]
        self._settled_at = dt.datetime.fromisoformat(data["settled_at"])
        went_back, self._carried_out = moment < self._carried_out, moment
        if went_back:
            self._plan_all()
        self._schedule.drop_until(moment)

    def take_over(self, member: str, key: str, row: Any) -> None:  # noqa: ANN401 - JSON data
        """Take over one row that another process changed; None if it is gone there."""
        if member == "events":
            self.events.take_over(row)
        elif member == "watch":
            self._watch.take_over(key, row)
        else:
            record = self.records.collection(COLLECTIONS[member]).take_over(key, row)
            if record is not None:
                self._plan(record)

    def facts(self) -> dict[str, Any]:
        """The facts, which are not rows, as JSON data."""
        return {
            "id": self.records.upstream_entity_id,
            "settled_at": self._settled_at.isoformat(),
        }

    def rows(self) -> Iterator[Row]:
        """Everything as rows of the state."""
        yield "entity", "", self.facts()
        yield from (("entity.events", str(event.number), event.plain()) for event in self.events)
        yield from (("entity.watch", owner, row) for owner, row in self._watch.rows())
        yield from self.records.rows()

    def snapshot(self) -> dict[str, Any]:
        """Records, events and the known compliance, as JSON data."""
        return (
            self.facts()
            | {
                "events": self.events.snapshot(),
                "watch": self._watch.snapshot(),
            }
            | self.records.snapshot()
        )

    def restore(self, data: dict[str, Any]) -> None:
        """Restore the state of a snapshot."""
        self.records.upstream_entity_id = data["id"]
        self.records.restore(data)
        self.events.restore(data["events"])
        self._watch.restore(data["watch"])
        self._settled_at = self._carried_out = dt.datetime.fromisoformat(data["settled_at"])
        self._plan_all()

    def _carry_out(self, entry: DueEntry) -> None:
        moment, kind, key = entry
        if kind == "license begins or ends":
            self._watch.reassess(key, moment)
        elif kind == "extraction is done":
            held = self.records.coverages.find(key)
            if held is not None and held.extraction_due == moment:
                self.records.coverages.read(held, moment)
        elif kind == "sync is done":
            self._nipr.finish(key, moment)
        elif (upload := self.records.uploads.find(key)) is not None and upload.due == moment:
            self._uploads.move_on(upload, moment)

    def _plan(self, record: Record) -> None:
        if isinstance(record, License):
            for moment in (record.issue_date, record.expiration_date):
                if moment is not None and moment > self._settled_at:
                    self._schedule.add(moment, "license begins or ends", record.npn)
        elif isinstance(record, Coverage) and record.extraction_due is not None:
            self._schedule.add(record.extraction_due, "extraction is done", record.key)
        elif isinstance(record, Upload) and record.due is not None:
            self._schedule.add(record.due, "upload moves on", record.key)
        elif isinstance(record, AgentEntry | Association):
            subscription = record.nipr_data_subscription
            if subscription is not None and subscription.sync_due is not None:
                self._schedule.add(subscription.sync_due, "sync is done", subscription.id)

    def _plan_all(self) -> None:
        self._schedule.clear()
        records = self.records
        for collection in (
            records.licenses,
            records.uploads,
            records.agents,
            records.associations,
            records.coverages,
        ):
            for record in collection:
                self._plan(record)

    def _go_back(self, now: dt.datetime) -> None:
        """After the clock was set back, let future moments become due again, without events."""
        self._settled_at = now
        self._undo.attributes(self, "_silent")
        silent, self._silent = self._silent, True
        try:
            self._begin_again(now)
        finally:
            self._silent = silent
        self._plan_all()
        self._watch.record_baseline(now)

    def _begin_again(self, now: dt.datetime) -> None:
        """Let what is in progress end as soon as if it had begun now, or as it would have anyway.

        Otherwise a wait of seconds would take as long as the clock was set back.
        """
        records, options = self.records, self._options
        upload_end = later(now, records.uploads.step)
        for upload in [one for one in records.uploads if one.due and one.due > upload_end]:
            records.uploads.update(upload, due=upload_end, updated_at=upload.updated_at)
        read_end = later(now, options.extraction_duration)
        for held in list(records.coverages):
            if held.extraction_due is not None and held.extraction_due > read_end:
                records.coverages.update(held, extraction_due=read_end, updated_at=held.updated_at)
        self._nipr.begin_again(later(now, options.sync_duration))
        lookup = options.npn_lookup_duration
        if records.npns.busy_until is not None and records.npns.busy_until > later(now, lookup):
            records.npns.occupy(lookup)
