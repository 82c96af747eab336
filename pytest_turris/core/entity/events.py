"""What happened: an append-only log of the changes that Turris sends webhooks about.

The outbox reads the log from the last number that it has seen. Kinds are the documented
``webhookType`` values (guides/webhooks); a fact is one change, in the words of the webhooks.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, get_args

from pytest_turris.core.changes import Changes
from pytest_turris.core.entity.event_facts import (
    ComplianceChange,
    EventKind,
    ExecutedAgreement,
    Synchronization,
)
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.text.names import did_you_mean
from pytest_turris.core.undo import Undo

Fact = ComplianceChange | Synchronization | ExecutedAgreement

_FACTS: Mapping[str, type[Fact]] = MappingProxyType(
    {
        "AGENT_COMPLIANCE_STATUS_CHANGE": ComplianceChange,
        "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE": ComplianceChange,
        "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED": Synchronization,
        "PRODUCER_AGREEMENT_EXECUTED": ExecutedAgreement,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change, at the moment when it happened on the sandbox's clock."""

    number: int
    at: dt.datetime
    kind: EventKind
    fact: Fact

    @property
    def facts(self) -> dict[str, Any]:
        """The fact as a JSON object.

        A compliance change has ``npn``, ``downstreamEntityAssociationId``, ``productId``,
        ``productName``, the ``state`` as it is now, ``was``, the compliance status before, and
        ``wasLicense`` and ``wasAppointment``, the statuses that it followed from; the other kinds
        have the members of their documented payloads.
        """
        return self.fact.given_members()

    def plain(self) -> dict[str, Any]:
        """The event as JSON data."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "kind": self.kind,
            "facts": self.facts,
        }


class EventLog:
    """All events of one upstream entity, oldest first, numbered from 1 without a gap."""

    undo: Undo
    changes: Changes | None = None
    """Where changed rows are noted, if something keeps the state."""

    def __init__(self, undo: Undo | None = None) -> None:
        self.undo = undo or Undo()
        self._events: list[Event] = []

    def __iter__(self) -> Iterator[Event]:
        return iter(tuple(self._events))

    def __len__(self) -> int:
        return len(self._events)

    def __getitem__(self, index: int) -> Event:
        return self._events[index]

    def append(self, kind: EventKind, at: dt.datetime, fact: Fact) -> Event:
        """Log what happened."""
        event = Event(number=len(self._events) + 1, at=at, kind=kind, fact=fact)
        self.undo.step(partial(self._forget_since, event.number))
        self._events.append(event)
        if self.changes is not None:
            self.changes.mark("entity.events", str(event.number), event.plain)
        return event

    def _forget_since(self, number: int) -> None:
        del self._events[number - 1 :]

    def since(self, number: int) -> tuple[Event, ...]:
        """The events after the one with that number; 0 gives all."""
        return tuple(self._events[number:])

    def of(self, kind: EventKind) -> tuple[Event, ...]:
        """The events of one kind.

        Raises:
            UnknownNameError: There is no such kind.
        """
        if kind not in get_args(EventKind):
            kinds = get_args(EventKind)
            hint = did_you_mean(kind, kinds) or f"; use one of {', '.join(kinds)}"
            raise UnknownNameError(f"there is no kind of event {kind!r}{hint}")
        return tuple(event for event in self._events if event.kind == kind)

    def snapshot(self) -> list[dict[str, Any]]:
        """The log as JSON data."""
        return [event.plain() for event in self._events]

    def restore(self, rows: list[dict[str, Any]]) -> None:
        """Replace the log by a snapshot's."""
        self._events = [_restored(row) for row in rows]

    def take_over(self, row: dict[str, Any]) -> None:
        """Take over the next event, which was logged elsewhere."""
        self._events.append(_restored(row))


def _restored(row: dict[str, Any]) -> Event:
    return Event(
        number=row["number"],
        at=dt.datetime.fromisoformat(row["at"]),
        kind=row["kind"],
        fact=_FACTS[row["kind"]].model_validate(row["facts"]),
    )
