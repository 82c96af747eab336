"""Reads the event log, and publishes its events to the subscribed webhooks."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from pytest_turris.core.entity.event_facts import (
    ComplianceChange,
    EventKind,
    ExecutedAgreement,
    Synchronization,
)
from pytest_turris.core.entity.event_models import EVENTS, ComplianceEntry
from pytest_turris.core.entity.events import EventLog
from pytest_turris.core.entity.records import EntityRecords
from pytest_turris.core.options import Options
from pytest_turris.core.outbox.endpoints import Endpoint, Endpoints
from pytest_turris.core.outbox.publishing.debounce import Debounce
from pytest_turris.core.outbox.publishing.payloads import compliance_payload
from pytest_turris.core.undo import Undo

EventPayload = Synchronization | ExecutedAgreement | list[ComplianceEntry]
Published = tuple[Endpoint, dict[str, Any], dt.datetime]
"""A webhook, the event for it, and when it was published."""


class Publisher:
    """Publishes each event once; the two status events are held back and consolidated.

    Args:
        records: Whose events these are.
        endpoints: The webhooks that may be subscribed.
        options: What to do where the documentation leaves a choice.
        on_change: Called before ``facts`` change.
    """

    undo: Undo = Undo()
    """Guards the changes, and takes them back if they fail."""

    def __init__(
        self,
        records: EntityRecords,
        endpoints: Endpoints,
        options: Options,
        on_change: Callable[[], object],
    ) -> None:
        self._records = records
        self._endpoints = endpoints
        self._debounce = Debounce(options)
        self._drops_reverted = options.webhook_reverted == "dropped"
        self._on_change = on_change
        self._seen = 0

    def follow(self, options: Options) -> None:
        """Take over the options; a batch that waits already keeps its wait."""
        self._debounce.follow(options)

    def next_due(self) -> dt.datetime | None:
        """When the next batch is due; None if none waits."""
        return self._debounce.next_due()

    def read(self, events: EventLog, now: dt.datetime) -> Iterator[Published]:
        """Read the log from where the last call ended, and publish what is new or due by now."""
        for event in events.since(self._seen):
            self.undo.attributes(self, "_seen")
            self._seen = event.number
            self._on_change()
            yield from self._flush(event.at)
            if isinstance(event.fact, ComplianceChange):
                self.undo.step(self._debounce.kept())
                self._debounce.add(event.kind, event.fact, event.at)
            else:
                yield from self._publish(event.kind, event.fact, event.at)
        yield from self._flush(now)

    def facts(self) -> dict[str, Any]:
        """The batches that wait, and the last event that was read, as JSON data."""
        return {"debounce": self._debounce.snapshot(), "seen": self._seen}

    def restore(self, facts: dict[str, Any]) -> None:
        """Restore the state of a snapshot."""
        self._debounce.restore(facts["debounce"])
        self._seen = int(facts["seen"])

    def _flush(self, now: dt.datetime) -> Iterator[Published]:
        self.undo.step(self._debounce.kept())
        for batch in self._debounce.pop_due(now):
            self._on_change()
            changes = [
                change
                for change in batch.changes.values()
                if not (self._drops_reverted and change.before == change.after)
            ]
            payload = compliance_payload(batch.kind, changes, self._records)
            if payload:
                yield from self._publish(batch.kind, payload, batch.due)

    def _publish(
        self, kind: EventKind, payload: EventPayload, at: dt.datetime
    ) -> Iterator[Published]:
        """One event, for each endpoint that was subscribed to it at that moment."""
        endpoints = [one for one in self._endpoints.subscribed_to(kind) if one.registered_at <= at]
        if endpoints:
            event = EVENTS[kind](
                webhook_type=kind,
                upstream_entity_id=self._records.upstream_entity_id,
                payload=payload,
            ).given_members()
            for endpoint in endpoints:
                yield endpoint, event, at
