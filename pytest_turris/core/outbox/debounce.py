"""The two status events are held back and consolidated (documented: the event pages).

After the last change Turris waits for a minute, and never longer than 30 minutes after the first.
Where the option ``webhook_debounce`` makes the minute another time, the cap follows it.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_turris.core.entity.events import Event

CAP = 30
"""So many windows after the first change a batch is sent in any case."""

DEBOUNCED = ("AGENT_COMPLIANCE_STATUS_CHANGE", "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE")


@dataclass(slots=True)
class Batch:
    """Changes of one kind that wait: for each state of each product of each entity the last."""

    kind: str
    window: dt.timedelta
    first: dt.datetime
    last: dt.datetime
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def due(self) -> dt.datetime:
        """When it is sent, unless something more happens before."""
        return min(self.last + self.window, self.first + CAP * self.window)

    def add(self, event: Event) -> None:
        """Take a change in; a later one replaces the earlier of the same state."""
        facts = event.facts
        place = (facts["downstreamEntityAssociationId"], facts["npn"], facts["productId"])
        self.changes["/".join(map(str, (*place, facts["state"]["stateCode"])))] = facts
        self.last = event.at


class Debounce:
    """At most one batch of each kind."""

    def __init__(self, window: dt.timedelta) -> None:
        self._window = window
        self._batches: dict[str, Batch] = {}

    def add(self, event: Event) -> Iterator[Batch]:
        """Take a change in; yield the batch that was due before it."""
        waiting = self._batches.get(event.kind)
        if waiting is not None and waiting.due <= event.at:
            yield self._batches.pop(event.kind)
            waiting = None
        if waiting is None:
            waiting = Batch(event.kind, self._window, event.at, event.at)
            self._batches[event.kind] = waiting
        waiting.add(event)

    def due(self, now: dt.datetime) -> Iterator[Batch]:
        """Take out the batches whose moment has come, the earliest first."""
        for batch in sorted(self._batches.values(), key=lambda batch: batch.due):
            if batch.due <= now:
                yield self._batches.pop(batch.kind)

    def next_due(self) -> dt.datetime | None:
        """When the next batch is due."""
        return min(batch.due for batch in self._batches.values()) if self._batches else None

    def snapshot(self) -> list[dict[str, Any]]:
        """The waiting batches as JSON data."""
        return [
            {
                "kind": batch.kind,
                "first": batch.first.isoformat(),
                "last": batch.last.isoformat(),
                "changes": batch.changes,
            }
            for batch in self._batches.values()
        ]

    def restore(self, rows: list[dict[str, Any]]) -> None:
        """Replace the batches by a snapshot's."""
        self._batches = {
            row["kind"]: Batch(
                row["kind"],
                self._window,
                dt.datetime.fromisoformat(row["first"]),
                dt.datetime.fromisoformat(row["last"]),
                dict(row["changes"]),
            )
            for row in rows
        }
