"""The outbox: makes deliveries of events, and keeps them in the order in which they are due."""

import contextlib
import datetime as dt
import heapq
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal, Protocol

from pytest_turris.core.changes import Changes, Row
from pytest_turris.core.entity.event_models import (
    EVENTS,
    ComplianceChange,
    ComplianceEntry,
    EventKind,
    ExecutedAgreement,
    Synchronization,
)
from pytest_turris.core.entity.events import EventLog
from pytest_turris.core.entity.records import EntityRecords
from pytest_turris.core.options import Options
from pytest_turris.core.outbox.debounce import Debounce
from pytest_turris.core.outbox.deliveries import Attempt, Delivery
from pytest_turris.core.outbox.endpoints import Endpoint, Endpoints
from pytest_turris.core.outbox.event_examples import example
from pytest_turris.core.outbox.failure_policy import FailurePolicy
from pytest_turris.core.outbox.network_faults import NetworkFaults
from pytest_turris.core.outbox.payloads import compliance_payload
from pytest_turris.core.outbox.retry_schedules import RetrySchedule, schedule_of
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.record import UnknownRecordError

EventPayload = Synchronization | ExecutedAgreement | list[ComplianceEntry]

KEPT = 1_000
"""How many attempts, and how many settled deliveries, are remembered."""


class Claims(Protocol):
    """Who sends what, where several processes send from one outbox."""

    def take(self, number: int) -> bool:
        """Claim a delivery; whether this process may send it. A resend has a negative number."""

    def renew(self, number: int) -> bool:
        """Claim a delivery for longer; whether this process still has it."""

    def release(self, number: int) -> bool:
        """Give a claim back; whether this process still had it."""

    def lapsed_resends(self) -> list[int]:
        """The deliveries whose resend was claimed by a process that is gone."""


class Outbox:
    """Deliveries that wait, in the order in which they are due, and the log of attempts.

    A sender takes one out with ``pop_delivery`` and reports its attempt with ``record``; in
    between the delivery does not wait, so nothing is sent twice.
    """

    changes: Changes | None = None
    """Where changed rows are noted, if something keeps the state."""
    claims: Claims | None = None
    """Who sends what, if other processes send too."""

    def __init__(self, records: EntityRecords, randomness: Randomness, options: Options) -> None:
        self.endpoints: Endpoints = Endpoints(randomness, options.signing_key)
        self.network_faults: NetworkFaults = NetworkFaults()
        self.attempts: deque[Attempt] = deque(maxlen=KEPT)
        self.settled: deque[Delivery] = deque(maxlen=KEPT)
        self._records = records
        self._randomness = randomness
        self._retries = options.webhook_retries
        self.schedule: RetrySchedule = schedule_of(self._retries)
        self._policy = FailurePolicy.of(options)
        self._debounce = Debounce(options)
        self._drops_reverted = options.webhook_reverted == "dropped"
        self._seen = 0
        self._made = 0
        self._attempted = 0
        self._waiting: list[tuple[dt.datetime, int, Delivery]] = []
        self._in_flight: dict[int, Delivery] = {}
        self._resends: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._in_flight) + len(self._waiting) + len(self._resends)

    def register(self, url: str, kind: str, at: dt.datetime, secret: str = "") -> Endpoint:
        """Register a webhook: it receives what happens from now on.

        Raises:
            UnknownNameError: There is no such type.
        """
        return self.endpoints.add(url, kind, at, secret)

    def follow_options(self, options: Options) -> None:
        """Take over what options say about waits and failures; what waits, waits on."""
        if options.webhook_retries != self._retries:
            self._retries = options.webhook_retries
            self.schedule = schedule_of(self._retries)
        self._policy = FailurePolicy.of(options)
        self._debounce.follow(options)

    def collect(self, events: EventLog, now: dt.datetime) -> None:
        """Read the log from where the last call ended, and make deliveries of what is new."""
        for event in events.since(self._seen):
            self._seen = event.number
            self._mark_counters()
            self._flush(event.at)
            if isinstance(event.fact, ComplianceChange):
                self._debounce.add(event.kind, event.fact, event.at)
            else:
                self._publish(event.kind, event.fact, event.at)
        self._flush(now)

    def enqueue(self, endpoint: Endpoint, event: dict[str, Any], due: dt.datetime) -> Delivery:
        """Enqueue one event for one webhook, subject to the network faults."""
        delivery = self._new_delivery(endpoint, event, due)
        number = delivery.number
        if self.network_faults.drops(number):
            delivery.state = "dropped"
            self._settle(delivery)
            return delivery
        delivery.due += self.network_faults.lateness(number)
        self._push(delivery)
        if self.network_faults.duplicates(number):
            self._push(self._new_delivery(endpoint, event, due))
        return delivery

    def request_test(self, endpoint: Endpoint, due: dt.datetime) -> Delivery:
        """Enqueue the documented example of the endpoint's event, with fresh ids."""
        own_id, new_id = self._records.upstream_entity_id, self._randomness.object_id
        return self.enqueue(endpoint, example(endpoint.webhook_type, own_id, new_id), due)

    def request_resend(self, delivery: Delivery) -> None:
        """Enqueue a delivery to be sent once more by hand, whatever its state is."""
        self._resends.append(delivery.number)
        self._mark_counters()

    def pop_resend(self) -> Delivery | None:
        """Take out the first delivery that was requested again; skip those no longer kept."""
        if self.claims:
            self._resends.extendleft(self.claims.lapsed_resends())
        while self._resends:
            self._mark_counters()
            number = self._resends.popleft()
            with contextlib.suppress(KeyError):
                found = self.find(number)
                if self.claims:
                    self.claims.take(-number)
                return found
        return None

    @property
    def resends_wait(self) -> bool:
        """Whether something is to be sent once more by hand."""
        return bool(self._resends)

    def next_due(self, *, but: Collection[int] = ()) -> dt.datetime | None:
        """When the next batch, or delivery but for some by number, is due; None if none waits."""
        if but:
            waiting = min(
                (entry[0] for entry in self._waiting if entry[1] not in but), default=None
            )
        else:
            waiting = self._waiting[0][0] if self._waiting else None
        return min(filter(None, (waiting, self._debounce.next_due())), default=None)

    def pop_delivery(self, now: dt.datetime) -> Delivery | None:
        """Take out the earliest delivery that is due, and that no other process sends."""
        others, found = [], None
        while found is None and self._waiting and self._waiting[0][0] <= now:
            entry = heapq.heappop(self._waiting)
            if self.claims is None or self.claims.take(entry[1]):
                found = self._in_flight[entry[1]] = entry[2]
            else:
                others.append(entry)
        for entry in others:
            heapq.heappush(self._waiting, entry)
        return found

    def still_sends(self, delivery: Delivery, *, by_hand: bool) -> bool:
        """Whether this process may send what it took out; another one does if it took too long."""
        number = -delivery.number if by_hand else delivery.number
        if self.claims is None or self.claims.renew(number):
            return True
        self._in_flight.pop(number, None)
        return False

    def record(self, delivery: Delivery, attempt: Attempt) -> None:
        """Log an attempt, and either schedule the next one or settle the delivery.

        An attempt that began before the state was replaced is not part of the new state.
        """
        if not self._take_back(delivery):
            return
        delivery.attempts += 1
        endpoint = self.endpoints.get(delivery.endpoint_id)
        tries_left = delivery.attempts <= len(self.schedule) and not self._policy.is_gone(attempt)
        if attempt.succeeded:
            delivery.state = "delivered"
            if endpoint:
                endpoint.failures = 0
        elif tries_left:
            scheduled = self.schedule[delivery.attempts - 1]
            failed = attempt.at + dt.timedelta(seconds=attempt.latency)
            delivery.due = failed + self._policy.wait(scheduled, attempt)
        else:
            delivery.state = "failed"
            if endpoint:
                attempt = self._failed(endpoint, attempt)
        self._log(attempt)
        if endpoint:
            self.endpoints.mark(endpoint)
        if delivery.state == "pending":
            self._push(delivery)
        else:
            self._settle(delivery)

    def record_resend(self, delivery: Delivery, attempt: Attempt) -> None:
        """Log an attempt that was made by hand."""
        if self.claims:
            self.claims.release(-delivery.number)
        self._log(attempt)
        delivery.resends += 1
        if attempt.succeeded and delivery.state != "pending":
            delivery.state = "delivered"
        if self.changes is not None:
            part = "waiting" if delivery.state == "pending" else "settled"
            self.changes.mark(f"outbox.{part}", str(delivery.number), delivery.snapshot)

    def give_up(self, delivery: Delivery, state: Literal["removed", "disabled", "failed"]) -> None:
        """Settle a delivery without an attempt: its webhook is gone, disabled or unreachable.

        A delivery that was settled before, and requested again by hand, keeps its state.
        """
        if self._take_back(delivery):
            delivery.state = state
            self._settle(delivery)

    def find(self, number: int) -> Delivery:
        """A delivery by its number. UnknownRecordError if it is unknown, or no longer kept."""
        for delivery in self:
            if delivery.number == number:
                return delivery
        raise UnknownRecordError(f"no delivery with number {number}")

    def __iter__(self) -> Iterator[Delivery]:
        yield from tuple(self.settled)
        yield from self._unsettled()

    @property
    def unsent(self) -> tuple[Delivery, ...]:
        """The deliveries that no receiver has accepted yet, in the order in which they are due."""
        return tuple(self._unsettled())

    def snapshot(self) -> dict[str, Any]:
        """Everything as JSON data but the network faults, which are part of the test."""
        return self._counters() | {
            "endpoints": self.endpoints.snapshot(),
            "waiting": [delivery.snapshot() for delivery in self._unsettled()],
            "settled": [delivery.snapshot() for delivery in self.settled],
            "attempts": [attempt.snapshot() for attempt in self.attempts],
        }

    def rows(self) -> Iterator[Row]:
        """Everything as rows of the state."""
        yield "outbox", "", self._counters()
        for endpoint in self.endpoints:
            yield "outbox.endpoints", endpoint.id, endpoint.plain()
        for delivery in self._unsettled():
            yield "outbox.waiting", str(delivery.number), delivery.snapshot()
        for delivery in self.settled:
            yield "outbox.settled", str(delivery.number), delivery.snapshot()
        first = self._attempted - len(self.attempts)
        for number, attempt in enumerate(self.attempts, first + 1):
            yield "outbox.attempts", str(number), attempt.snapshot()

    def restore(self, data: dict[str, Any]) -> None:
        """Become what a snapshot holds."""
        self.endpoints.restore(data["endpoints"])
        self._debounce.restore(data["debounce"])
        self._seen, self._made = int(data["seen"]), int(data["made"])
        self._attempted = int(data["attempted"])
        self._waiting = []
        self._in_flight = {}
        for row in data["waiting"]:
            self._push(Delivery.restored(row))
        self._resends = deque(map(int, data["resends"]))
        self.settled = deque(map(Delivery.restored, data["settled"]), maxlen=KEPT)
        self.attempts = deque(map(Attempt.restored, data["attempts"]), maxlen=KEPT)

    def take_over(self, member: str, key: str, row: Any) -> None:  # noqa: ANN401 - JSON data
        """Take over one row that was changed elsewhere; None if it is gone there."""
        if member == "endpoints":
            self.endpoints.take_over(key, row)
        elif member == "waiting":
            self._take_over_waiting(int(key), Delivery.restored(row) if row else None)
        elif member == "settled":
            self._take_over_settled(int(key), Delivery.restored(row) if row else None)
        elif member == "attempts":
            if row:
                self.attempts.append(Attempt.restored(row))
        else:
            self._debounce.restore(row["debounce"])
            self._seen, self._made = int(row["seen"]), int(row["made"])
            self._attempted = int(row["attempted"])
            self._resends = deque(map(int, row["resends"]))

    def _take_over_waiting(self, number: int, delivery: Delivery | None) -> None:
        self._waiting = [entry for entry in self._waiting if entry[1] != number]
        heapq.heapify(self._waiting)
        if delivery is None:
            self._in_flight.pop(number, None)
        elif number not in self._in_flight:
            heapq.heappush(self._waiting, (delivery.due, number, delivery))

    def _take_over_settled(self, number: int, delivery: Delivery | None) -> None:
        place = next((i for i, one in enumerate(self.settled) if one.number == number), None)
        if delivery is not None and place is not None:
            self.settled[place] = delivery
        elif delivery is not None:
            self.settled.append(delivery)
        elif place is not None:
            del self.settled[place]

    @property
    def in_flight(self) -> tuple[Delivery, ...]:
        """The deliveries that this process sends now."""
        return tuple(self._in_flight.values())

    def stay_in_flight(self, deliveries: Iterable[Delivery]) -> None:
        """Go on with what this process sends, after the state was read from where it is kept."""
        for delivery in deliveries:
            waiting = [entry for entry in self._waiting if entry[1] != delivery.number]
            if len(waiting) < len(self._waiting):
                self._waiting = waiting
                heapq.heapify(self._waiting)
                self._in_flight[delivery.number] = delivery

    def _take_back(self, delivery: Delivery) -> bool:
        """End the flight of a delivery; whether its outcome is part of this state."""
        number = delivery.number
        if self.claims is not None and not self.claims.release(number):
            self._in_flight.pop(number, None)
            return False
        if self._in_flight.get(number) is not delivery:
            return False
        del self._in_flight[number]
        return True

    def _counters(self) -> dict[str, Any]:
        return {
            "debounce": self._debounce.snapshot(),
            "seen": self._seen,
            "made": self._made,
            "attempted": self._attempted,
            "resends": list(self._resends),
        }

    def _mark_counters(self) -> None:
        if self.changes is not None:
            self.changes.mark("outbox", "", self._counters)

    def _log(self, attempt: Attempt) -> None:
        self._attempted += 1
        self.attempts.append(attempt)
        if self.changes is not None:
            self._mark_counters()
            self.changes.gone("outbox.attempts", str(self._attempted - KEPT))
            self.changes.mark("outbox.attempts", str(self._attempted), attempt.snapshot)

    def _settle(self, delivery: Delivery) -> None:
        if self.changes is not None:
            self.changes.gone("outbox.waiting", str(delivery.number))
            if len(self.settled) == KEPT:
                self.changes.gone("outbox.settled", str(self.settled[0].number))
            self.changes.mark("outbox.settled", str(delivery.number), delivery.snapshot)
        self.settled.append(delivery)

    def _unsettled(self) -> list[Delivery]:
        """The deliveries in flight, then those that wait, in the order in which they are due."""
        waiting = sorted(self._waiting, key=lambda row: row[:2])
        return [*self._in_flight.values(), *(delivery for _, _, delivery in waiting)]

    def _failed(self, endpoint: Endpoint, attempt: Attempt) -> Attempt:
        """Count a failed delivery, and disable the webhook if the policy says so."""
        endpoint.failures += 1
        why = (
            "" if endpoint.disabled else self._policy.reason_to_disable(attempt, endpoint.failures)
        )
        if not why:
            return attempt
        endpoint.disabled = why
        return replace(attempt, error=f"{attempt.error}; the webhook is disabled: {why}")

    def _flush(self, now: dt.datetime) -> None:
        for batch in self._debounce.pop_due(now):
            self._mark_counters()
            changes = [
                change
                for change in batch.changes.values()
                if not (self._drops_reverted and change.before == change.after)
            ]
            payload = compliance_payload(batch.kind, changes, self._records)
            if payload:
                self._publish(batch.kind, payload, batch.due)

    def _publish(self, kind: EventKind, payload: EventPayload, at: dt.datetime) -> None:
        """Enqueue one event for each endpoint that was subscribed to it at that moment."""
        endpoints = [one for one in self.endpoints.subscribed_to(kind) if one.registered_at <= at]
        if endpoints:
            event = EVENTS[kind](
                webhook_type=kind,
                upstream_entity_id=self._records.upstream_entity_id,
                payload=payload,
            ).given_members()
            for endpoint in endpoints:
                self.enqueue(endpoint, event, at)

    def _new_delivery(
        self, endpoint: Endpoint, event: dict[str, Any], due: dt.datetime
    ) -> Delivery:
        self._made += 1
        self._mark_counters()
        return Delivery(
            number=self._made,
            endpoint_id=endpoint.id,
            webhook_type=endpoint.webhook_type,
            event=event,
            due=due,
        )

    def _push(self, delivery: Delivery) -> None:
        heapq.heappush(self._waiting, (delivery.due, delivery.number, delivery))
        if self.changes is not None:
            self.changes.mark("outbox.waiting", str(delivery.number), delivery.snapshot)
