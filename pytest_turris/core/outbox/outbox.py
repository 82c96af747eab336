"""The outbox: makes deliveries of events, and keeps them in the order in which they are due."""

import contextlib
import datetime as dt
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Literal

from pytest_turris.core.changes import Changes, Row
from pytest_turris.core.clock import later
from pytest_turris.core.entity.events import EventLog
from pytest_turris.core.entity.records import EntityRecords
from pytest_turris.core.options import Options
from pytest_turris.core.outbox.attempts import Attempt, AttemptLog
from pytest_turris.core.outbox.deliveries import Delivery
from pytest_turris.core.outbox.endpoints import Endpoint, Endpoints
from pytest_turris.core.outbox.event_examples import example
from pytest_turris.core.outbox.failure_policy import FailurePolicy
from pytest_turris.core.outbox.network_faults import NetworkFaults
from pytest_turris.core.outbox.publishing.publisher import Publisher
from pytest_turris.core.outbox.queue import Claims, DeliveryQueue
from pytest_turris.core.outbox.retry_schedules import RetrySchedule, schedule_of
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.undo import Undo, whole


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
        self.attempts: AttemptLog = AttemptLog()
        self._queue = DeliveryQueue()
        self._records = records
        self._randomness = randomness
        self._retries = options.webhook_retries
        self.schedule: RetrySchedule = schedule_of(self._retries)
        self._policy = FailurePolicy.of(options)
        self._publisher = Publisher(records, self.endpoints, options, self._mark_counters)
        self._made = 0
        self._resends: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._queue) + len(self._resends)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._queue)

    def guard(self, undo: Undo) -> None:
        """Make changes part of the sandbox's transactions."""
        for part in (self, self.endpoints, self.attempts, self._publisher, self._queue):
            part.undo = undo

    def note_changes(self, changes: Changes) -> None:
        """Note changed rows from now on."""
        for part in (self, self.endpoints, self.attempts, self._queue):
            part.changes = changes

    def register(self, url: str, kind: str, at: dt.datetime, secret: str = "") -> Endpoint:
        """Register a webhook: it receives what happens from now on.

        Raises:
            UnknownNameError: There is no such type.
        """
        return self.endpoints.add(url, kind, at, secret)

    def follow_options(self, options: Options) -> None:
        """Take over the options about waits and failures; deliveries that wait keep their time."""
        if options.webhook_retries != self._retries:
            self._retries = options.webhook_retries
            self.schedule = schedule_of(self._retries)
        self._policy = FailurePolicy.of(options)
        self._publisher.follow(options)

    @whole
    def collect(self, events: EventLog, now: dt.datetime) -> None:
        """Read the log from where the last call ended, and make deliveries of new events."""
        for endpoint, event, at in self._publisher.read(events, now):
            self.enqueue(endpoint, event, at)

    @whole
    def enqueue(self, endpoint: Endpoint, event: dict[str, Any], due: dt.datetime) -> Delivery:
        """Enqueue one event for one webhook, subject to the network faults."""
        delivery = self._new_delivery(endpoint, event, due)
        number = delivery.number
        if self.network_faults.drops(number):
            delivery.state = "dropped"
            self._queue.settle(delivery)
            return delivery
        delivery.due = later(delivery.due, self.network_faults.lateness(number))
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
        """Enqueue a delivery to be sent again by hand, in any state."""
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
        """Whether something is to be sent again by hand."""
        return bool(self._resends)

    def next_due(self, *, but: Collection[int] = ()) -> dt.datetime | None:
        """When the next batch or delivery is due, except some by number; None if none waits."""
        moments = (self._queue.next_due(but=but), self._publisher.next_due())
        return min(filter(None, moments), default=None)

    @whole
    def pop_delivery(self, now: dt.datetime, endpoint_id: str = "") -> Delivery | None:
        """Take out the earliest due delivery, of one endpoint if given, that no other sends."""
        return self._queue.pop(now, endpoint_id)

    @whole
    def still_sends(self, delivery: Delivery, *, by_hand: bool) -> bool:
        """Whether this process may still send what it took out; if not, another one sends it."""
        return self._queue.still_sends(delivery, by_hand=by_hand)

    @whole
    def record(self, delivery: Delivery, attempt: Attempt) -> None:
        """Log an attempt, and either schedule the next one or settle the delivery.

        An attempt that began before the state was replaced is not part of the new state.
        """
        if not self._queue.land(delivery):
            return
        self.undo.attributes(delivery, "attempts", "state", "due")
        endpoint = self.endpoints.get(delivery.endpoint_id)
        if endpoint:
            self.undo.attributes(endpoint, "failures", "disabled")
        attempt = self._policy.judge(attempt, delivery, endpoint, self.schedule)
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
        """Everything as JSON data, except the network faults, which are part of the test."""
        return {
            **self._counters(),
            "endpoints": self.endpoints.snapshot(),
            **self._queue.snapshot(),
            "attempts": self.attempts.snapshot(),
        }

    def rows(self) -> Iterator[Row]:
        """Everything as rows of the state."""
        yield "outbox", "", self._counters()
        for endpoint in self.endpoints:
            yield "outbox.endpoints", endpoint.id, endpoint.plain()
        yield from self._queue.rows()
        yield from self.attempts.rows()

    def restore(self, data: dict[str, Any]) -> None:
        """Restore the state of a snapshot."""
        self.endpoints.restore(data["endpoints"])
        self._restore_counters(data)
        self._queue.restore(data)
        self.attempts.restore(data["attempts"], int(data["attempted"]))

    def take_over(self, member: str, key: str, row: Any) -> None:  # noqa: ANN401 - JSON data
        """Take over one row that another process changed; None if it is gone there."""
        if member == "endpoints":
            self.endpoints.take_over(key, row)
        elif member in ("waiting", "settled"):
            self._queue.take_over(member, int(key), Delivery.restored(row) if row else None)
        elif member == "attempts":
            self.attempts.take_over(row)
        else:
            self._restore_counters(row)
            self.attempts.made = int(row["attempted"])

    @property
    def in_flight(self) -> tuple[Delivery, ...]:
        """The deliveries that this process sends now."""
        return self._queue.in_flight

    def stay_in_flight(self, deliveries: Iterable[Delivery]) -> None:
        """Keep what this process sends in flight, after the state was read from a store."""
        self._queue.stay_in_flight(deliveries)

    @property
    def claims(self) -> Claims | None:
        """Which process sends what, if several send."""
        return self._queue.claims

    @claims.setter
    def claims(self, claims: Claims | None) -> None:
        self._queue.claims = claims

    def _counters(self) -> dict[str, Any]:
        return {
            **self._publisher.facts(),
            "made": self._made,
            "attempted": self.attempts.made,
            "resends": list(self._resends),
        }

    def _restore_counters(self, counters: dict[str, Any]) -> None:
        self._publisher.restore(counters)
        self._made = int(counters["made"])
        self._resends = deque(map(int, counters["resends"]))

    def _mark_counters(self) -> None:
        if self.changes is not None:
            self.changes.mark("outbox", "", self._counters)

    def _log(self, attempt: Attempt) -> None:
        self._mark_counters()
        self.attempts.add(attempt)

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
