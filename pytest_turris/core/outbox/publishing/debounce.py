"""The two status events are held back and consolidated (documented: the event pages).

After the last change Turris waits for a minute, and never longer than 30 minutes after the first.
Where the option ``webhook_debounce`` sets another wait, the cap is 30 times that.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_turris.core.clock import later
from pytest_turris.core.entity.event_facts import ComplianceChange, EventKind
from pytest_turris.core.options import Options

CAP = 30
"""A batch is sent this many windows after its first change, whatever follows."""


@dataclass(slots=True)
class Batch:
    """Changes of one kind that wait: the last one for each state, product and entity.

    ``group`` says which changes wait together: empty for all changes of the kind, or one agent or
    agency (option ``webhook_batch``).
    """

    kind: EventKind
    group: str
    window: dt.timedelta
    first: dt.datetime
    last: dt.datetime
    changes: dict[str, ComplianceChange] = field(default_factory=dict)

    @property
    def due(self) -> dt.datetime:
        """When the batch is sent, unless another change comes before."""
        return min(later(self.last, self.window), later(self.first, CAP * self.window))

    def add(self, change: ComplianceChange, at: dt.datetime) -> None:
        """Add a change; a later one takes the place of the earlier one of the same state."""
        place = f"{_entity(change)}/{change.product_id}/{change.state.state_code}"
        if (earlier := self.changes.get(place)) is not None:
            first = ("was", "was_license", "was_appointment")
            change = change.model_copy(update={name: getattr(earlier, name) for name in first})
        self.changes[place] = change
        self.last = at


class Debounce:
    """Holds at most one batch of each kind, or of each kind and entity."""

    def __init__(self, options: Options) -> None:
        self.follow(options)
        self._batches: dict[tuple[EventKind, str], Batch] = {}

    def follow(self, options: Options) -> None:
        """Take over the options; a batch that waits already keeps its wait."""
        self._window = options.webhook_debounce
        self._by_entity = options.webhook_batch == "entity"

    def add(self, kind: EventKind, change: ComplianceChange, at: dt.datetime) -> None:
        """Add a change to its batch, after ``pop_due`` took out what was due before."""
        group = _entity(change) if self._by_entity else ""
        if (kind, group) not in self._batches:
            self._batches[kind, group] = Batch(kind, group, self._window, first=at, last=at)
        self._batches[kind, group].add(change, at)

    def pop_due(self, now: dt.datetime) -> Iterator[Batch]:
        """Take out the batches whose moment has come, the earliest first."""
        for batch in sorted(self._batches.values(), key=lambda batch: batch.due):
            if batch.due <= now:
                yield self._batches.pop((batch.kind, batch.group))

    def kept(self) -> Callable[[], object]:
        """Return a function that puts back the present batches."""
        before = {
            key: replace(one, changes=one.changes.copy()) for key, one in self._batches.items()
        }

        def put_back() -> None:
            self._batches = before

        return put_back

    def next_due(self) -> dt.datetime | None:
        """When the next batch is due."""
        return min(batch.due for batch in self._batches.values()) if self._batches else None

    def snapshot(self) -> list[dict[str, Any]]:
        """The waiting batches as JSON data."""
        return [
            {
                "kind": batch.kind,
                "group": batch.group,
                "first": batch.first.isoformat(),
                "last": batch.last.isoformat(),
                "changes": {
                    place: change.given_members() for place, change in batch.changes.items()
                },
            }
            for batch in self._batches.values()
        ]

    def restore(self, rows: list[dict[str, Any]]) -> None:
        """Replace the batches with a snapshot's."""
        self._batches = {
            (row["kind"], row.get("group", "")): Batch(
                row["kind"],
                row.get("group", ""),
                self._window,
                dt.datetime.fromisoformat(row["first"]),
                dt.datetime.fromisoformat(row["last"]),
                {
                    place: ComplianceChange.model_validate(change)
                    for place, change in dict(row["changes"]).items()
                },
            )
            for row in rows
        }


def _entity(change: ComplianceChange) -> str:
    return f"{change.downstream_entity_association_id}/{change.npn}"
