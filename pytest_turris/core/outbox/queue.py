"""The queue of deliveries: those that wait, those in flight, and the last settled ones."""

import datetime as dt
import heapq
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import Any, Protocol

from pytest_turris.core.changes import Changes, Row
from pytest_turris.core.outbox.deliveries import KEPT, Delivery
from pytest_turris.core.undo import Undo


class Claims(Protocol):
    """Decides which process sends what, if several send from one outbox."""

    def take(self, number: int) -> bool:
        """Claim a delivery; return whether this process may send it.

        A resend has a negative number.
        """

    def renew(self, number: int) -> bool:
        """Extend a claim; return whether this process still has it."""

    def release(self, number: int) -> bool:
        """Give a claim back; return whether this process still had it."""

    def lapsed_resends(self) -> list[int]:
        """The deliveries whose resend was claimed by a process that no longer runs."""


class DeliveryQueue:
    """Deliveries in the order in which they are due.

    One that was taken out with ``pop`` is in flight and no longer waits, so nothing is sent twice.
    """

    undo: Undo = Undo()
    """Guards the changes, and takes them back if they fail."""
    changes: Changes | None = None
    """Where changed rows are noted, if something keeps the state."""
    claims: Claims | None = None
    """Which process sends what, if several send."""

    def __init__(self) -> None:
        self.settled: deque[Delivery] = deque(maxlen=KEPT)
        self._waiting: list[tuple[dt.datetime, int, Delivery]] = []
        self._in_flight: dict[int, Delivery] = {}
        self._elsewhere: dict[int, Delivery] = {}
        """What other processes have recorded of those in flight here."""

    def __len__(self) -> int:
        """How many are not settled."""
        return len(self._in_flight) + len(self._waiting)

    def __iter__(self) -> Iterator[Delivery]:
        yield from tuple(self.settled)
        yield from self.unsettled()

    def unsettled(self) -> list[Delivery]:
        """The deliveries in flight, then those that wait, in the order in which they are due."""
        waiting = sorted(self._waiting, key=lambda row: row[:2])
        return [*self._in_flight.values(), *(delivery for _, _, delivery in waiting)]

    def next_due(self, *, but: Collection[int] = ()) -> dt.datetime | None:
        """When the first waiting delivery is due, except some by number; None if none waits."""
        if not but:
            return self._waiting[0][0] if self._waiting else None
        return min((row[0] for row in self._waiting if row[1] not in but), default=None)

    def push(self, delivery: Delivery) -> None:
        """Enqueue a delivery until it is due."""
        self.undo.step(partial(self._withdraw, delivery))
        heapq.heappush(self._waiting, (delivery.due, delivery.number, delivery))
        self.mark(delivery)

    def pop(self, now: dt.datetime, endpoint_id: str = "") -> Delivery | None:
        """Take out the earliest due delivery, of one endpoint if given, that no other sends."""
        if not self._waiting or self._waiting[0][0] > now:
            return None
        due = self._waiting[:1]
        if self.claims or endpoint_id:
            due = [row for row in self._waiting if row[0] <= now]
        if endpoint_id:
            due = [row for row in due if row[2].endpoint_id == endpoint_id]
        for row in sorted(due, key=lambda row: row[:2]):
            if self.claims is None or self.claims.take(row[1]):
                self.undo.step(partial(self._wait_again, row))
                if row is self._waiting[0]:
                    heapq.heappop(self._waiting)
                else:
                    self._withdraw(row[2])
                self._in_flight[row[1]] = row[2]
                return row[2]
        return None

    def still_sends(self, delivery: Delivery, *, by_hand: bool) -> bool:
        """Whether this process may still send what it took out; if not, another one sends it."""
        number = -delivery.number if by_hand else delivery.number
        if self.claims is None or self.claims.renew(number):
            return True
        self._hand_over(number)
        return False

    def _hand_over(self, number: int) -> None:
        """End the flight of a delivery that another process claimed; here it waits, as there."""
        if number in self._in_flight:
            delivery = self._elsewhere.get(number, self._in_flight[number])
            self._end_flight(number)
            self.undo.step(partial(self._withdraw, delivery))
            heapq.heappush(self._waiting, (delivery.due, number, delivery))

    def _end_flight(self, number: int) -> None:
        self.undo.item(self._in_flight, number)
        self.undo.item(self._elsewhere, number)
        self._in_flight.pop(number, None)
        self._elsewhere.pop(number, None)

    def _withdraw(self, delivery: Delivery) -> None:
        self._waiting = [row for row in self._waiting if row[2] is not delivery]
        heapq.heapify(self._waiting)

    def _wait_again(self, row: tuple[dt.datetime, int, Delivery]) -> None:
        self._withdraw(row[2])
        self._in_flight.pop(row[1], None)
        heapq.heappush(self._waiting, row)

    def land(self, delivery: Delivery) -> bool:
        """End the flight of a delivery; False if it is not in flight.

        One that was in flight before the state was replaced is not part of the new state.
        """
        if self.claims is not None and not self.claims.release(delivery.number):
            self._hand_over(delivery.number)
            return False
        if self._in_flight.get(delivery.number) is not delivery:
            return False
        self._end_flight(delivery.number)
        return True

    def settle(self, delivery: Delivery) -> None:
        """Keep a delivery that is neither waiting nor in flight."""
        if self.changes is not None:
            self.changes.gone("outbox.waiting", str(delivery.number))
            if len(self.settled) == KEPT:
                self.changes.gone("outbox.settled", str(self.settled[0].number))
            self.changes.mark("outbox.settled", str(delivery.number), delivery.snapshot)
        self.undo.last(self.settled, delivery)
        self.settled.append(delivery)

    def mark(self, delivery: Delivery) -> None:
        """Note that a delivery changed."""
        if self.changes is not None:
            part = "waiting" if delivery.state == "pending" else "settled"
            self.changes.mark(f"outbox.{part}", str(delivery.number), delivery.snapshot)

    def snapshot(self) -> dict[str, Any]:
        """The deliveries as JSON data; one in flight waits again when they are restored."""
        return {
            "waiting": [delivery.snapshot() for delivery in self.unsettled()],
            "settled": [delivery.snapshot() for delivery in self.settled],
        }

    def rows(self) -> Iterator[Row]:
        """The deliveries as rows of the state."""
        for delivery in self.unsettled():
            yield "outbox.waiting", str(delivery.number), delivery.snapshot()
        for delivery in self.settled:
            yield "outbox.settled", str(delivery.number), delivery.snapshot()

    def restore(self, data: dict[str, Any]) -> None:
        """Restore the state of a snapshot."""
        self._waiting, self._in_flight, self._elsewhere = [], {}, {}
        for row in data["waiting"]:
            self.push(Delivery.restored(row))
        self.settled = deque(map(Delivery.restored, data["settled"]), maxlen=KEPT)

    @property
    def in_flight(self) -> tuple[Delivery, ...]:
        """The deliveries that this process sends now."""
        return tuple(self._in_flight.values())

    def stay_in_flight(self, deliveries: Iterable[Delivery]) -> None:
        """Keep what this process sends in flight, after the state was read from a store."""
        for delivery in deliveries:
            for _, number, kept in list(self._waiting):
                if number == delivery.number:
                    self._withdraw(kept)
                    self._in_flight[number], self._elsewhere[number] = delivery, kept

    def take_over(self, member: str, number: int, delivery: Delivery | None) -> None:
        """Take over a delivery that another process keeps; None if it no longer does."""
        if member == "settled":
            self._take_over_settled(number, delivery)
            return
        self._waiting = [row for row in self._waiting if row[1] != number]
        heapq.heapify(self._waiting)
        if delivery is None:
            self._end_flight(number)
        elif number in self._in_flight:
            self._elsewhere[number] = delivery
        else:
            heapq.heappush(self._waiting, (delivery.due, number, delivery))

    def _take_over_settled(self, number: int, delivery: Delivery | None) -> None:
        place = next((i for i, one in enumerate(self.settled) if one.number == number), None)
        if delivery is not None and place is not None:
            self.settled[place] = delivery
        elif delivery is not None:
            self.settled.append(delivery)
        elif place is not None:
            del self.settled[place]
