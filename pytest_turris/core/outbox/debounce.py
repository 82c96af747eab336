"""The two status events are held back and consolidated (documented: the event pages).

After the last change Turris waits for a minute, and never longer than 30 minutes after the first.
Where the option ``webhook_debounce`` sets another wait, the cap is 30 times that.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_turris.core.entity.event_models import ComplianceChange, EventKind

CAP = 30
"""A batch is sent this many windows after its first change, whatever follows."""


@dataclass(slots=True)
class Batch:
    """Changes of one kind that wait: for each state of each product of each entity the last."""

    kind: EventKind
    window: dt.timedelta
    first: dt.datetime
    last: dt.datetime
    changes: dict[str, ComplianceChange] = field(default_factory=dict)

    @property
    def due(self) -> dt.datetime:
        """When the batch is sent, unless another change comes before."""
        return min(self.last + self.window, self.first + CAP * self.window)

    def add(self, change: ComplianceChange, at: dt.datetime) -> None:
        """Add a change; a later one replaces the earlier one of the same state."""
        place = (change.downstream_entity_association_id, change.npn, change.product_id)
        self.changes["/".join(map(str, (*place, change.state.state_code)))] = change
        self.last = at


class Debounce:
    """Holds at most one batch of each kind."""

    def __init__(self, window: dt.timedelta) -> None:
        self.window: dt.timedelta = window
        """How long a batch that begins from now on waits for another change."""
        self._batches: dict[EventKind, Batch] = {}

    def add(self, kind: EventKind, change: ComplianceChange, at: dt.datetime) -> None:
        """Add a change to the batch of its kind, once ``pop_due`` took out what was due before."""
        if kind not in self._batches:
            self._batches[kind] = Batch(kind, self.window, first=at, last=at)
        self._batches[kind].add(change, at)

    def pop_due(self, now: dt.datetime) -> Iterator[Batch]:
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
                "changes": {
                    place: change.given_members() for place, change in batch.changes.items()
                },
            }
            for batch in self._batches.values()
        ]

    def restore(self, rows: list[dict[str, Any]]) -> None:
        """Replace the batches by a snapshot's."""
        self._batches = {
            row["kind"]: Batch(
                row["kind"],
                self.window,
                dt.datetime.fromisoformat(row["first"]),
                dt.datetime.fromisoformat(row["last"]),
                {
                    place: ComplianceChange.model_validate(change)
                    for place, change in dict(row["changes"]).items()
                },
            )
            for row in rows
        }
