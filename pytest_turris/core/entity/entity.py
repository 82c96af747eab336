"""The upstream entity: whose records they are, and what follows from a change or from time."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_turris.core.clock import Clock
from pytest_turris.core.entity.agenda import Entry, Schedule
from pytest_turris.core.entity.compliance_watch import ComplianceWatch
from pytest_turris.core.entity.events import EventLog
from pytest_turris.core.entity.records import EntityRecords
from pytest_turris.core.entity.upload_worker import Ingestion
from pytest_turris.core.options import Options
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.agents import AgentEntry
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.resources.collection import Record
from pytest_turris.core.resources.licenses import License
from pytest_turris.core.resources.uploads import Upload


class UpstreamEntity(EntityRecords):
    """A carrier, MGA or wholesaler with its network. Empty until something is added.

    It is the ledger of its collections. Nothing runs by itself: ``settle`` lets happen what is
    due by now, in its order and as of its moment, whenever somebody looks.
    """

    def __init__(self, clock: Clock, randomness: Randomness, options: Options) -> None:
        super().__init__(clock, randomness, options, self)
        self.events: EventLog = EventLog()
        self._agenda = Schedule()
        self._watch = ComplianceWatch(self, self.events)
        self._ingestion = Ingestion(self)
        self._settled_at = clock.now()
        self._busy = False
        self._arranging = False

    def settle(self) -> None:
        """Let happen what is due by now."""
        if self._busy:
            return
        now = self.clock.now()
        self._busy = True
        try:
            if now < self._settled_at:
                self._go_back(now)
            while (due := self._agenda.next_due(now)) is not None:
                self._settled_at = due[0]
                self._happen(due)
        finally:
            self._busy = False

    def changed(self, old: Record | None, new: Record | None) -> None:
        """Take note of a change: what will be due, what hangs on it, whose compliance turned."""
        if not self._busy:
            self._settled_at = self.clock.now()
        if new is not None:
            self._plan(new)
        if isinstance(new, Association) and (old is None or isinstance(old, Association)):
            self.contacts.follow(old, new)
        elif isinstance(old, Association):
            self._dissolve(old)
        if not self._arranging:
            self._watch.changed(old, new, self._settled_at)

    @contextmanager
    def arranging(self) -> Iterator[None]:
        """A block whose changes are how things are, not something that happens: no events."""
        self._arranging = True
        try:
            yield
        finally:
            self._arranging = False
            self._watch.take_stock(self.clock.now())

    def snapshot(self) -> dict[str, Any]:
        """All records as JSON data."""
        return {
            "id": self.id,
            "settled_at": self._settled_at.isoformat(),
            "events": self.events.snapshot(),
            "watch": self._watch.snapshot(),
        } | {name: part.snapshot() for name, part in self.collections().items()}

    def restore(self, data: dict[str, Any]) -> None:
        """Replace all records by a snapshot's."""
        self.id: str = data["id"]
        self.associations.upstream_entity_id = self.id
        self.agents.upstream_entity_id = data["id"]
        for name, part in self.collections().items():
            part.restore(data[name])
        self.events.restore(data["events"])
        self._watch.restore(data["watch"])
        self._settled_at = dt.datetime.fromisoformat(data["settled_at"])
        self._plan_all()

    def _happen(self, entry: Entry) -> None:
        moment, occasion, key = entry
        if occasion == "license expires":
            self._watch.reconsider(key, moment)
        elif occasion == "sync is done":
            self.finish_sync(key, moment)
        elif (upload := self.uploads.find(key)) is not None and upload.due == moment:
            self._ingestion.move_on(upload, moment)

    def _plan(self, record: Record) -> None:
        if isinstance(record, License) and record.expiration_date is not None:
            if record.expiration_date > self._settled_at:
                self._agenda.note(record.expiration_date, "license expires", record.npn)
        elif isinstance(record, Upload) and record.due is not None:
            self._agenda.note(record.due, "upload moves on", record.key)
        elif isinstance(record, AgentEntry | Association):
            subscription = record.nipr_data_subscription
            if subscription is not None and subscription.sync_due is not None:
                self._agenda.note(subscription.sync_due, "sync is done", subscription.id)

    def _plan_all(self) -> None:
        self._agenda.clear()
        for records in (self.licenses, self.uploads, self.agents, self.associations):
            for record in records:
                self._plan(record)

    def _go_back(self, now: dt.datetime) -> None:
        """The clock was put back: what was still to come is to come again, silently."""
        self._settled_at = now
        self._plan_all()
        self._watch.take_stock(now)
