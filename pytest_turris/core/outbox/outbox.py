"""The outbox: makes deliveries of events, and keeps them in the order in which they are due."""

import contextlib
import datetime as dt
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal

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
from pytest_turris.core.outbox.queue import KEPT, Claims, DeliveryQueue
from pytest_turris.core.outbox.retry_schedules import RetrySchedule, schedule_of
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.undo import Undo, whole

EventPayload = Synchronization | ExecutedAgreement | list[ComplianceEntry]


class Outbox:
    """Deliveries that wait, in the order in which they are due, and the log of attempts.

    A sender takes one out with ``pop_delivery`` and reports its attempt with ``record``.
    """

    undo: Undo = Undo()
    """Guards the changes, and takes them back if they fail."""
    changes: Changes | None = None
    """Where changed rows are noted, if something keeps the state."""

    def __init__(self, records: EntityRecords, randomness: Randomness, options: Options) -> None:
        self.endpoints: Endpoints = Endpoints(randomness, options.signing_key)
        self.network_faults: NetworkFaults = NetworkFaults()
        self.attempts: deque[Attempt] = deque(maxlen=KEPT)
        self._queue = DeliveryQueue()
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
        self._resends: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._queue) + len(self._resends)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._queue)

    def guard(self, undo: Undo) -> None:
        """Let changes be whole, with those of all other parts."""
        self.undo = self.endpoints.undo = self._queue.undo = undo

    def note_changes(self, changes: Changes) -> None:
        """Note changed rows from now on."""
        self.changes = self.endpoints.changes = self._queue.changes = changes

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

    @whole
    def collect(self, events: EventLog, now: dt.datetime) -> None:
        """Read the log from where the last call ended, and make deliveries of what is new."""
        for event in events.since(self._seen):
            self.undo.attributes(self, "_seen")
            self._seen = event.number
            self._mark_counters()
            self._flush(event.at)
            if isinstance(event.fact, ComplianceChange):
                self.undo.step(self._debounce.kept())
                self._debounce.add(event.kind, event.fact, event.at)
            else:
                self._publish(event.kind, event.fact, event.at)
        self._flush(now)

    @whole
    def enqueue(self, endpoint: Endpoint, event: dict[str, Any], due: dt.datetime) -> Delivery:
        """Enqueue one event for one webhook, subject to the network faults."""
        delivery = self._new_delivery(endpoint, event, due)
        number = delivery.number
        if self.network_faults.drops(number):
            delivery.state = "dropped"
            self._queue.settle(delivery)
            return delivery
        delivery.due += self.network_faults.lateness(number)
        self._queue.push(delivery)
        if self.network_faults.duplicates(number):
            self._queue.push(self._new_delivery(endpoint, event, due))
        return delivery

    def request_test(self, endpoint: Endpoint, due: dt.datetime) -> Delivery:
        """Enqueue the documented example of the endpoint's event, with fresh ids."""
        own_id, new_id = self._records.upstream_entity_id, self._randomness.object_id
        return self.enqueue(endpoint, example(endpoint.webhook_type, own_id, new_id), due)

    @whole
    def request_resend(self, delivery: Delivery) -> None:
        """Enqueue a delivery to be sent once more by hand, whatever its state is."""
        self.undo.copies(self, "_resends")
        self._resends.append(delivery.number)
        self._mark_counters()

    @whole
    def pop_resend(self) -> Delivery | None:
        """Take out the first delivery that was requested again; skip those no longer kept."""
        if self.claims:
            self._resends.extendleft(self.claims.lapsed_resends())
        while self._resends:
            self.undo.copies(self, "_resends")
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
        moments = (self._queue.next_due(but=but), self._debounce.next_due())
        return min(filter(None, moments), default=None)

    @whole
    def pop_delivery(self, now: dt.datetime) -> Delivery | None:
        """Take out the earliest delivery that is due, and that no other process sends."""
        return self._queue.pop(now)

    @whole
    def still_sends(self, delivery: Delivery, *, by_hand: bool) -> bool:
        """Whether this process may send what it took out; another one does if it took too long."""
        return self._queue.still_sends(delivery, by_hand=by_hand)

    @whole
    def record(self, delivery: Delivery, attempt: Attempt) -> None:
        """Log an attempt, and either schedule the next one or settle the delivery.

        An attempt that began before the state was replaced is not part of the new state.
        """
        if not self._queue.land(delivery):
            return
        self.undo.attributes(delivery, "attempts", "state", "due")
        delivery.attempts += 1
        endpoint = self.endpoints.get(delivery.endpoint_id)
        if endpoint:
            self.undo.attributes(endpoint, "failures", "disabled")
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
            self._queue.push(delivery)
        else:
            self._queue.settle(delivery)

    @whole
    def record_resend(self, delivery: Delivery, attempt: Attempt) -> None:
        """Log an attempt that was made by hand."""
        if self.claims:
            self.claims.release(-delivery.number)
        self._log(attempt)
        self.undo.attributes(delivery, "resends", "state")
        delivery.resends += 1
        if attempt.succeeded and delivery.state != "pending":
            delivery.state = "delivered"
        self._queue.mark(delivery)

    @whole
    def give_up(self, delivery: Delivery, state: Literal["removed", "disabled", "failed"]) -> None:
        """Settle a delivery without an attempt: its webhook is gone, disabled or unreachable.

        A delivery that was settled before, and requested again by hand, keeps its state.
        """
        if self._queue.land(delivery):
            self.undo.attributes(delivery, "state")
            delivery.state = state
            self._queue.settle(delivery)

    def find(self, number: int) -> Delivery:
        """A delivery by its number. UnknownRecordError if it is unknown, or no longer kept."""
        for delivery in self._queue:
            if delivery.number == number:
                return delivery
        raise UnknownRecordError(f"no delivery with number {number}")

    @property
    def unsent(self) -> tuple[Delivery, ...]:
        """The deliveries that no receiver has accepted yet, in the order in which they are due."""
        return tuple(self._queue.unsettled())

    def snapshot(self) -> dict[str, Any]:
        """Everything as JSON data but the network faults, which are part of the test."""
        return {
            **self._counters(),
            "endpoints": self.endpoints.snapshot(),
            **self._queue.snapshot(),
            "attempts": [attempt.snapshot() for attempt in self.attempts],
        }

    def rows(self) -> Iterator[Row]:
        """Everything as rows of the state."""
        yield "outbox", "", self._counters()
        for endpoint in self.endpoints:
            yield "outbox.endpoints", endpoint.id, endpoint.plain()
        yield from self._queue.rows()
        first = self._attempted - len(self.attempts)
        for number, attempt in enumerate(self.attempts, first + 1):
            yield "outbox.attempts", str(number), attempt.snapshot()

    def restore(self, data: dict[str, Any]) -> None:
        """Become what a snapshot holds."""
        self.endpoints.restore(data["endpoints"])
        self._debounce.restore(data["debounce"])
        self._seen, self._made = int(data["seen"]), int(data["made"])
        self._attempted = int(data["attempted"])
        self._queue.restore(data)
        self._resends = deque(map(int, data["resends"]))
        self.attempts = deque(map(Attempt.restored, data["attempts"]), maxlen=KEPT)

    def take_over(self, member: str, key: str, row: Any) -> None:  # noqa: ANN401 - JSON data
        """Take over one row that was changed elsewhere; None if it is gone there."""
        if member == "endpoints":
            self.endpoints.take_over(key, row)
        elif member in ("waiting", "settled"):
            self._queue.take_over(member, int(key), Delivery.restored(row) if row else None)
        elif member == "attempts":
            if row:
                self.attempts.append(Attempt.restored(row))
        else:
            self._debounce.restore(row["debounce"])
            self._seen, self._made = int(row["seen"]), int(row["made"])
            self._attempted = int(row["attempted"])
            self._resends = deque(map(int, row["resends"]))

    @property
    def in_flight(self) -> tuple[Delivery, ...]:
        """The deliveries that this process sends now."""
        return self._queue.in_flight

    def stay_in_flight(self, deliveries: Iterable[Delivery]) -> None:
        """Go on with what this process sends, after the state was read from where it is kept."""
        self._queue.stay_in_flight(deliveries)

    @property
    def claims(self) -> Claims | None:
        """Who sends what, if other processes send too."""
        return self._queue.claims

    @claims.setter
    def claims(self, claims: Claims | None) -> None:
        self._queue.claims = claims

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
        self.undo.attributes(self, "_attempted")
        self.undo.last(self.attempts, attempt)
        self._attempted += 1
        self.attempts.append(attempt)
        if self.changes is not None:
            self._mark_counters()
            self.changes.gone("outbox.attempts", str(self._attempted - KEPT))
            self.changes.mark("outbox.attempts", str(self._attempted), attempt.snapshot)

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
        self.undo.step(self._debounce.kept())
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
        self.undo.attributes(self, "_made")
        self._made += 1
        self._mark_counters()
        return Delivery(
            number=self._made,
            endpoint_id=endpoint.id,
            webhook_type=endpoint.webhook_type,
            event=event,
            due=due,
        )
