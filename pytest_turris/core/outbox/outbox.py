"""The outbox: reads the event log on, and knows what is to be sent next."""

import contextlib
import datetime as dt
import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

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
from pytest_turris.core.outbox.retry_schedules import Schedule, schedule_of
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.record import UnknownRecordError

Payload = Synchronization | ExecutedAgreement | list[ComplianceEntry]

KEPT = 1_000
"""How many attempts, and how many settled deliveries, are remembered."""


class Outbox:
    """Deliveries that wait, in the order of their moments, and the log of attempts.

    Who sends takes one out with ``pop_delivery`` and gives back what came of it with
    ``record``; meanwhile it does not wait, so nothing is sent twice.
    """

    def __init__(self, records: EntityRecords, randomness: Randomness, options: Options) -> None:
        self.endpoints: Endpoints = Endpoints(randomness)
        self.disturbance: NetworkFaults = NetworkFaults()
        self.attempts: deque[Attempt] = deque(maxlen=KEPT)
        self.settled: deque[Delivery] = deque(maxlen=KEPT)
        self._records = records
        self._randomness = randomness
        self.schedule: Schedule = schedule_of(options.webhook_retries)
        self._policy = FailurePolicy.of(options)
        self._debounce = Debounce(options.webhook_debounce)
        self._seen = 0
        self._made = 0
        self._waiting: list[tuple[dt.datetime, int, Delivery]] = []
        self._under_way: dict[int, Delivery] = {}
        self._resends: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._under_way) + len(self._waiting) + len(self._resends)

    def register(self, url: str, kind: str, at: dt.datetime, secret: str = "") -> Endpoint:
        """Register a webhook: it hears of what happens from now on.

        Raises:
            ValueError: There is no such type.
        """
        return self.endpoints.add(url, kind, at, secret)

    def collect(self, events: EventLog, now: dt.datetime) -> None:
        """Read the log on, up to now."""
        for event in events.since(self._seen):
            self._seen = event.number
            self._flush(event.at)
            if isinstance(event.fact, ComplianceChange):
                self._debounce.add(event.kind, event.fact, event.at)
            else:
                self._publish(event.kind, event.fact, event.at)
        self._flush(now)

    def enqueue(self, endpoint: Endpoint, event: dict[str, Any], due: dt.datetime) -> Delivery:
        """Put one event on its way to one webhook, whatever disturbs it."""
        delivery = self._made_for(endpoint, event, due)
        number = delivery.number
        if self.disturbance.drops(number):
            delivery.state = "dropped"
            self.settled.append(delivery)
            return delivery
        delivery.due += self.disturbance.lateness(number)
        self._push(delivery)
        if self.disturbance.doubles(number):
            self._push(self._made_for(endpoint, event, due))
        return delivery

    def request_test(self, endpoint: Endpoint, due: dt.datetime) -> Delivery:
        """Put the documented example of the endpoint's event on its way, with fresh ids."""
        own_id, new_id = self._records.upstream_entity_id, self._randomness.object_id
        return self.enqueue(endpoint, example(endpoint.webhook_type, own_id, new_id), due)

    def request_resend(self, delivery: Delivery) -> None:
        """Ask for a delivery to be sent again by hand, whatever became of it."""
        self._resends.append(delivery.number)

    def pop_resend(self) -> Delivery | None:
        """Take out the delivery that was first asked for; one that is forgotten is passed over."""
        while self._resends:
            with contextlib.suppress(KeyError):
                return self.find(self._resends.popleft())
        return None

    def next_due(self) -> dt.datetime | None:
        """When there is something to do next."""
        waiting = self._waiting[0][0] if self._waiting else None
        return min(filter(None, (waiting, self._debounce.next_due())), default=None)

    def pop_delivery(self, now: dt.datetime) -> Delivery | None:
        """Take out the earliest delivery that is due."""
        if self._waiting and self._waiting[0][0] <= now:
            _, number, delivery = heapq.heappop(self._waiting)
            self._under_way[number] = delivery
            return delivery
        return None

    def record(self, delivery: Delivery, attempt: Attempt) -> None:
        """Write an attempt down, and try again later or be done."""
        self._under_way.pop(delivery.number, None)
        delivery.attempts += 1
        endpoint = self.endpoints.get(delivery.endpoint_id)
        tries_left = delivery.attempts <= len(self.schedule) and not self._policy.is_gone(attempt)
        if attempt.succeeded:
            delivery.state = "delivered"
            if endpoint:
                endpoint.failures = 0
        elif tries_left:
            scheduled = self.schedule[delivery.attempts - 1]
            delivery.due = attempt.at + self._policy.wait(scheduled, attempt)
        else:
            delivery.state = "failed"
            if endpoint:
                attempt = self._failed(endpoint, attempt)
        self.attempts.append(attempt)
        if delivery.state == "pending":
            self._push(delivery)
        else:
            self.settled.append(delivery)

    def record_resend(self, delivery: Delivery, attempt: Attempt) -> None:
        """Write down an attempt that was made by hand."""
        self.attempts.append(attempt)
        delivery.resends += 1
        if attempt.succeeded and delivery.state != "pending":
            delivery.state = "delivered"

    def give_up(self, delivery: Delivery, state: Literal["removed", "disabled", "failed"]) -> None:
        """Nothing is sent: the webhook was removed or disabled, or there is no way to it.

        One that was sent before, and was to be sent again by hand, stays what it is.
        """
        if self._under_way.pop(delivery.number, None):
            delivery.state = state
            self.settled.append(delivery)

    def find(self, number: int) -> Delivery:
        """A delivery by its number. UnknownRecordError if it is unknown, or forgotten since."""
        for delivery in self:
            if delivery.number == number:
                return delivery
        raise UnknownRecordError(f"no delivery with number {number}")

    def __iter__(self) -> Iterator[Delivery]:
        yield from tuple(self.settled)
        yield from self._unsettled()

    def snapshot(self) -> dict[str, Any]:
        """Everything as JSON data; the disturbance is the test's own and left out."""
        return {
            "endpoints": self.endpoints.snapshot(),
            "debounce": self._debounce.snapshot(),
            "seen": self._seen,
            "made": self._made,
            "waiting": [delivery.snapshot() for delivery in self._unsettled()],
            "resends": list(self._resends),
            "settled": [delivery.snapshot() for delivery in self.settled],
            "attempts": [attempt.snapshot() for attempt in self.attempts],
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Become what a snapshot holds."""
        self.endpoints.restore(data["endpoints"])
        self._debounce.restore(data["debounce"])
        self._seen, self._made = int(data["seen"]), int(data["made"])
        self._waiting = []
        self._under_way = {}
        for row in data["waiting"]:
            self._push(Delivery.restored(row))
        self._resends = deque(map(int, data["resends"]))
        self.settled = deque(map(Delivery.restored, data["settled"]), maxlen=KEPT)
        self.attempts = deque(map(Attempt.restored, data["attempts"]), maxlen=KEPT)

    def _unsettled(self) -> list[Delivery]:
        """What is being sent, then what waits, in the order of its moments."""
        waiting = sorted(self._waiting, key=lambda row: row[:2])
        return [*self._under_way.values(), *(delivery for _, _, delivery in waiting)]

    def _failed(self, endpoint: Endpoint, attempt: Attempt) -> Attempt:
        """Count a failed delivery, and disable the webhook if it was one too many."""
        endpoint.failures += 1
        why = "" if endpoint.disabled else self._policy.verdict(attempt, endpoint.failures)
        if not why:
            return attempt
        endpoint.disabled = why
        return replace(attempt, error=f"{attempt.error}; the webhook is disabled: {why}")

    def _flush(self, now: dt.datetime) -> None:
        for batch in self._debounce.pop_due(now):
            payload = compliance_payload(batch.kind, batch.changes.values(), self._records)
            self._publish(batch.kind, payload, batch.due)

    def _publish(self, kind: EventKind, payload: Payload, at: dt.datetime) -> None:
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

    def _made_for(self, endpoint: Endpoint, event: dict[str, Any], due: dt.datetime) -> Delivery:
        self._made += 1
        return Delivery(
            number=self._made,
            endpoint_id=endpoint.id,
            webhook_type=endpoint.webhook_type,
            event=event,
            due=due,
        )

    def _push(self, delivery: Delivery) -> None:
        heapq.heappush(self._waiting, (delivery.due, delivery.number, delivery))
