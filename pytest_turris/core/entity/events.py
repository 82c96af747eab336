"""What happened: an append-only log of the changes that Turris tells its customers about.

Whoever delivers webhooks reads on from the last number it has seen. Kinds are the documented
``webhookType`` values (guides/webhooks); facts are plain JSON data in the words of their payloads.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

EventKind = Literal[
    "AGENT_COMPLIANCE_STATUS_CHANGE",
    "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE",
    "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED",
    "PRODUCER_AGREEMENT_EXECUTED",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change, at the moment when it happened on the sandbox's clock.

    A compliance change has ``npn``, ``downstreamEntityAssociationId``, ``productId``,
    ``productName``, the ``state`` as it is now and ``was``, the compliance status before;
    the other kinds have the members of their documented payloads.
    """

    number: int
    at: dt.datetime
    kind: EventKind
    facts: dict[str, Any]


class EventLog:
    """All events of one upstream entity, oldest first, numbered from 1 without a gap."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def __iter__(self) -> Iterator[Event]:
        return iter(tuple(self._events))

    def __len__(self) -> int:
        return len(self._events)

    def __getitem__(self, index: int) -> Event:
        return self._events[index]

    def append(self, kind: EventKind, at: dt.datetime, facts: dict[str, Any]) -> Event:
        """Write down what happened."""
        event = Event(number=len(self._events) + 1, at=at, kind=kind, facts=facts)
        self._events.append(event)
        return event

    def since(self, number: int) -> tuple[Event, ...]:
        """The events after the one with that number; 0 gives all."""
        return tuple(self._events[number:])

    def of(self, kind: EventKind) -> tuple[Event, ...]:
        """The events of one kind."""
        return tuple(event for event in self._events if event.kind == kind)

    def snapshot(self) -> list[dict[str, Any]]:
        """The log as JSON data."""
        return [asdict(event) | {"at": event.at.isoformat()} for event in self._events]

    def restore(self, rows: list[dict[str, Any]]) -> None:
        """Replace the log by a snapshot's."""
        self._events = [Event(**row | {"at": dt.datetime.fromisoformat(row["at"])}) for row in rows]
