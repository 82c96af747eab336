"""Deliveries: list, send, resend, drain, and disturb the network."""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from mock_server.control.control import ControlCall, control
from mock_server.control.models import (
    Duration,
    Listing,
    Moment,
    Nothing,
    Parameters,
    Part,
    Result,
    no_time,
    part,
)
from mock_server.control.rows.webhooks.registered import WebhookId, endpoint_of
from mock_server.serving.delivery_worker import advised
from pytest_turris.core.entity.event_facts import EventKind
from pytest_turris.core.outbox.deliveries import Delivery, DeliveryState
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.outbox.network_faults import NetworkFaults
from pytest_turris.core.outbox.outbox import Outbox
from pytest_turris.core.outbox.retry_schedules import schedule_from
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.webhooks.engine import DeliverySummary
from pytest_turris.webhooks.factory import WebhookFactory

if TYPE_CHECKING:
    from pytest_turris.core.outbox.attempts import Attempt

_PROBABILITY = Field(0.0, ge=0, le=1, description="A probability from 0 to 1.")


class AttemptShown(Result):
    """One attempt to deliver; 0 is a resend by hand. ``error`` is empty if it succeeded."""

    attempt: int
    at: Moment
    status: int | None
    latency: float
    error: str
    signature: str


class DeliveryShown(Result):
    """One event on its way to one webhook, with every attempt."""

    number: int
    webhook_id: str
    webhook_type: str
    state: DeliveryState
    due: Moment
    attempts: list[AttemptShown]


class DeliveryDetail(DeliveryShown):
    """A delivery with what is sent: the event, and after the first attempt the exact bytes."""

    event: dict[str, Any]
    headers: list[list[str]]
    body: str


class Summary(Result):
    """What was sent, and how long that took on the sandbox's clock."""

    attempts: int
    delivered: int
    failed: int
    unsent: int
    took: Duration
    disabled: list[str]


class NetworkShown(Result):
    """Faults of the network between the sandbox and the receivers."""

    seed: int
    duplicate: float
    drop: float
    reorder: float
    delay: Duration


class ScheduleShown(Result):
    """How long to wait after each failure."""

    waits: list[float]


class DeliveryFilters(Part):
    """Which deliveries."""

    webhook_id: str | None = Field(None, max_length=200, description="Those of one webhook.")
    state: DeliveryState | None = Field(None, description="Those in a state.")


class DeliveryNumber(Parameters):
    """Which delivery."""

    number: int = Field(ge=0, description="The number of the delivery.")


class SendEvent(Parameters):
    """Which event, with what changed, and to whom."""

    event: EventKind = Field(description="The webhookType.")
    members: dict[str, Any] = Field(
        {}, description="Members of the payload, such as branchName; objects merge at any depth."
    )
    id: str | None = Field(
        None, max_length=200, description="One webhook; by default all that are registered for it."
    )


class Disturb(Parameters):
    """Faults of the network between the sandbox and the receivers."""

    seed: int = Field(0, ge=0, le=2**53, description="The same seed affects the same deliveries.")
    duplicate: float = _PROBABILITY
    drop: float = _PROBABILITY
    reorder: float = _PROBABILITY
    delay: Duration = no_time("The longest delay.", at_most=dt.timedelta(days=366))


class Retries(Parameters):
    """A schedule of retries."""

    waits: list[Duration] = Field(
        max_length=100, description="How long to wait after each failure, in order."
    )


@control("deliveries", "list", "GET", "/deliveries", words=("deliveries",))
def list_deliveries(call: ControlCall, given: DeliveryFilters) -> Listing[DeliveryShown]:
    """List the deliveries with every attempt, oldest first."""
    outbox = _outbox(call)
    found = [
        delivery
        for delivery in sorted(outbox, key=lambda delivery: delivery.number)
        if given.webhook_id in (None, delivery.endpoint_id)
        and given.state in (None, delivery.state)
    ]
    shown = part(found, given)
    return Listing(total=shown["total"], items=_deliveries(call.tenant.sandbox, shown["items"]))


@control("deliveries", "get", "GET", "/deliveries/{number}")
def get_delivery(call: ControlCall, given: DeliveryNumber) -> DeliveryDetail:
    """Get one delivery, with what is sent."""
    outbox = _outbox(call)
    delivery = outbox.find(given.number)
    (shown,) = _deliveries(call.tenant.sandbox, [delivery])
    return DeliveryDetail(
        **dict(shown), event=delivery.event, headers=delivery.headers, body=delivery.body
    )


@control("deliveries", "resend", "POST", "/deliveries/{number}/resend", sends=True)
def resend(call: ControlCall, given: DeliveryNumber) -> AttemptShown:
    """Send a delivery again, byte for byte, whatever its state."""
    with call.tenant.sandbox.lock:
        endpoint_id = _outbox(call).find(given.number).endpoint_id
    with call.tenant.deliveries.only_to([endpoint_id]) as engine:
        attempt = engine.resend(given.number)
        return _attempt(call.tenant.sandbox, _outbox(call).find(given.number), attempt)


@control("webhooks", "deliver", "POST", "/webhooks/deliver", sends=True)
def deliver(call: ControlCall, given: Nothing) -> Summary:
    """Send what is due now, and wait for the answers."""
    del given
    with call.tenant.deliveries.alone() as engine:
        return _summary(engine.deliver_due())


@control("webhooks", "drain", "POST", "/webhooks/drain", sends=True)
def drain(call: ControlCall, given: Nothing) -> Summary:
    """Let time pass until no delivery waits, and send each when it is due."""
    del given
    with call.tenant.deliveries.alone() as engine:
        return _summary(engine.drain())


@control("webhooks", "test", "POST", "/webhooks/{id}/test", sends=True)
def test(call: ControlCall, given: WebhookId) -> DeliveryShown:
    """Send the documented example of a webhook's event, and wait for the answer."""
    sandbox = call.tenant.sandbox
    endpoint = endpoint_of(call, given.id)
    with call.tenant.deliveries.only_to([endpoint.id]), sandbox.lock:
        delivery = sandbox.outbox.request_test(endpoint, sandbox.clock.now())
    return _deliveries(sandbox, [delivery])[0]


@control(
    "webhooks", "send", "POST", "/webhooks/send", sends=True, positional=("event",), rest="members"
)
def send(call: ControlCall, given: SendEvent) -> Listing[DeliveryShown]:
    """Send an event to the webhooks that are registered for it, and wait for the answers."""
    sandbox = call.tenant.sandbox
    with sandbox.lock:
        own = sandbox.outbox
        chosen = [endpoint_of(call, given.id)] if given.id else _subscribed(own, given.event)
    with (
        call.tenant.deliveries.only_to([one.id for one in chosen]),
        sandbox.lock,
        sandbox.randomness.taken_back_on_error(),
    ):
        outbox, now = sandbox.outbox, sandbox.clock.now()
        event = WebhookFactory.of(sandbox).event(given.event, **given.members).json
        sent = [outbox.enqueue(endpoint, event, now) for endpoint in chosen]
    shown = _deliveries(sandbox, sent)
    return Listing(total=len(shown), items=shown)


@control("webhooks", "disturb", "POST", "/webhooks/disturb")
def disturb(call: ControlCall, given: Disturb) -> NetworkShown:
    """Drop, duplicate, delay or reorder deliveries from now on; without members, stop doing so."""
    network = NetworkFaults(**{name: getattr(given, name) for name in Disturb.model_fields})
    call.tenant.sandbox.outbox.network_faults = network
    return NetworkShown.model_validate(network)


@control("webhooks", "retries", "POST", "/webhooks/retries", positional=("waits",))
def retries(call: ControlCall, given: Retries) -> ScheduleShown:
    """Retry failed deliveries on this schedule, in place of the option webhookRetries."""
    schedule = schedule_from(wait.total_seconds() for wait in given.waits)
    call.tenant.sandbox.outbox.schedule = schedule
    return ScheduleShown(waits=[wait.total_seconds() for wait in schedule])


ROWS = (
    send,
    deliver,
    drain,
    test,
    disturb,
    retries,
    list_deliveries,
    get_delivery,
    resend,
)


def _outbox(call: ControlCall) -> Outbox:
    return call.tenant.sandbox.outbox


def _subscribed(outbox: Outbox, kind: str) -> list[Endpoint]:
    found = outbox.endpoints.subscribed_to(kind)
    if not found:
        raise UnknownRecordError(f"no webhook is registered for {kind}, or all are disabled")
    return found


def _deliveries(sandbox: Sandbox, deliveries: Iterable[Delivery]) -> list[DeliveryShown]:
    attempts: dict[int, list[Attempt]] = {}
    for attempt in sandbox.outbox.attempts:
        attempts.setdefault(attempt.delivery, []).append(attempt)
    return [
        DeliveryShown(
            number=delivery.number,
            webhook_id=delivery.endpoint_id,
            webhook_type=delivery.webhook_type,
            state=delivery.state,
            due=delivery.due,
            attempts=[
                _attempt(sandbox, delivery, one) for one in attempts.get(delivery.number, ())
            ],
        )
        for delivery in deliveries
    ]


def _attempt(sandbox: Sandbox, delivery: Delivery, attempt: "Attempt") -> AttemptShown:
    shown = AttemptShown.model_validate(attempt)
    endpoint = sandbox.outbox.endpoints.get(delivery.endpoint_id)
    error = advised(shown.error, attempt.status, endpoint, sandbox)
    return shown.model_copy(update={"error": error})


def _summary(summary: DeliverySummary) -> Summary:
    return Summary(
        attempts=summary.attempts,
        delivered=summary.delivered,
        failed=summary.failed,
        unsent=summary.unsent,
        took=summary.took,
        disabled=[endpoint.id for endpoint in summary.disabled],
    )
