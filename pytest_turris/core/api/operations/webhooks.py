"""Webhooks over HTTP: register, list, get, delete, enable, deliveries, resend, test.

The guide registers webhooks "using our API", and no page with the operations could be read: all
paths and names are assumed. The help centre (settings-webhook) documents what there is: one URL,
one type, a secret shown once, every attempt with its status and error. Nothing is sent from here:
a resend and a test wait in the outbox. In a test ``turris_webhooks.drain()`` or ``deliver_due()``
sends them, elsewhere ``turris-sandbox serve``.
"""

from collections.abc import Iterable
from functools import partial
from typing import Self

from pydantic import Field

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import Link, operation
from pytest_turris.core.entity.event_facts import EventKind
from pytest_turris.core.outbox.attempts import Attempt
from pytest_turris.core.outbox.deliveries import Delivery, DeliveryState
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.outbox.receiver_url import ReceiverUrl, other_machine
from pytest_turris.core.resources.record import WireModel
from pytest_turris.core.wire.errors import NotFound
from pytest_turris.core.wire.model import Amount, ObjectId, RequestModel, Timestamp

PATH = "/v1/webhooks"
"""Where the operations are by default; the option ``webhooks_path`` moves them."""

_WEBHOOK = PATH + "/{webhookId}"
_operation = partial(
    operation,
    tag="webhooks",
    page="guides/webhooks",
    documented=False,
    operation_id_documented=False,
    provenance="assumed",
    status_provenance="assumed",
)


class RegisterWebhookDto(RequestModel):
    """One URL and exactly one type (help centre: settings-webhook; the names are assumed)."""

    url: ReceiverUrl
    webhook_type: EventKind


class Webhook(WireModel):
    """One registered webhook, without its secret (assumed).

    ``disabled`` says why the webhook receives no more events; it is absent while it is enabled.
    """

    id: ObjectId = Field(alias="_id")
    url: str
    webhook_type: EventKind
    created_at: Timestamp
    disabled: str | None = None

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        """The endpoint as the API shows it."""
        return cls.model_validate(
            {
                "_id": endpoint.id,
                "url": endpoint.url,
                "webhook_type": endpoint.webhook_type,
                "created_at": endpoint.registered_at,
                "disabled": endpoint.disabled or None,
                "secret": str(endpoint.secret),
            }
        )


class RegisteredWebhook(Webhook):
    """The answer to a registration, the only one with the secret (help centre; name assumed)."""

    secret: str = Field(repr=False)


class WebhookAttempt(WireModel):
    """One attempt (assumed): ``attempt`` is 0 for a resend; no ``status`` without a response.

    ``latency`` is in seconds; ``error`` is present if the attempt failed.
    """

    attempt: int
    at: Timestamp
    status: int | None
    latency: Amount
    error: str | None


class WebhookDelivery(WireModel):
    """One delivery with the attempts that are still kept, oldest first (assumed)."""

    id: ObjectId = Field(alias="_id")
    webhook_id: ObjectId
    webhook_type: str
    state: DeliveryState
    attempts: list[WebhookAttempt]

    @classmethod
    def of(cls, delivery: Delivery, attempts: Iterable[Attempt]) -> Self:
        """The delivery as the API shows it, with its attempts out of the log."""
        return cls(
            _id=delivery_id(delivery),
            webhook_id=delivery.endpoint_id,
            webhook_type=delivery.webhook_type,
            state=delivery.state,
            attempts=[_shown(one) for one in attempts if one.delivery == delivery.number],
        )


@_operation(
    "POST",
    PATH,
    summary="Register a webhook",
    status=201,
    operation_id="WebhooksController_registerWebhook_v1",
    body=RegisterWebhookDto,
    links=(
        Link("get_webhook", "webhookId", "_id"),
        Link("list_webhook_deliveries", "webhookId", "_id"),
        Link("test_webhook", "webhookId", "_id"),
        Link("delete_webhook", "webhookId", "_id"),
    ),
)
def register_webhook(call: Call) -> RegisteredWebhook:
    """Register a receiver: it receives what happens from now on, and its secret is shown once.

    The secret signs its webhooks: a secret of its own, or that of the option ``webhook_secret``.
    """
    body = call.body(RegisterWebhookDto)
    if name := other_machine(body.url):
        call.notes.append(
            f"{name} is not this machine: nothing is sent there "
            f"(turris-sandbox serve --allow {name} does)"
        )
    endpoint = call.outbox.register(
        body.url, body.webhook_type, call.at, call.options.webhook_secret
    )
    return RegisteredWebhook.of(endpoint)


@_operation("GET", PATH, summary="List webhooks", operation_id="WebhooksController_getWebhooks_v1")
def list_webhooks(call: Call) -> list[Webhook]:
    """List the registered webhooks, in the order of their registration."""
    return [Webhook.of(endpoint) for endpoint in call.outbox.endpoints]


@_operation(
    "GET", _WEBHOOK, summary="Get a webhook", operation_id="WebhooksController_getWebhook_v1"
)
def get_webhook(call: Call) -> Webhook:
    """Get one webhook; 404 if there is none."""
    return Webhook.of(_endpoint_of(call))


@_operation(
    "DELETE",
    _WEBHOOK,
    summary="Delete a webhook",
    status=204,
    operation_id="WebhooksController_deleteWebhook_v1",
)
def delete_webhook(call: Call) -> None:
    """Delete a webhook: deliveries to it that wait are not sent."""
    call.outbox.endpoints.remove(_endpoint_of(call).id)


@_operation(
    "POST",
    _WEBHOOK + "/enable",
    summary="Enable a disabled webhook",
    status=201,
    operation_id="WebhooksController_enableWebhook_v1",
)
def enable_webhook(call: Call) -> Webhook:
    """Enable a disabled webhook: it receives what happens from now on, and not what it missed."""
    endpoint = _endpoint_of(call)
    call.outbox.endpoints.enable(endpoint.id)
    return Webhook.of(endpoint)


@_operation(
    "GET",
    _WEBHOOK + "/deliveries",
    summary="List a webhook's deliveries with every attempt",
    operation_id="WebhooksController_getDeliveries_v1",
)
def list_webhook_deliveries(call: Call) -> list[WebhookDelivery]:
    """List the deliveries to a webhook, oldest first, including those that wait."""
    endpoint, outbox = _endpoint_of(call), call.outbox
    return [
        WebhookDelivery.of(delivery, outbox.attempts)
        for delivery in sorted(outbox, key=lambda delivery: delivery.number)
        if delivery.endpoint_id == endpoint.id
    ]


@_operation(
    "POST",
    _WEBHOOK + "/deliveries/{deliveryId}/resend",
    summary="Queue a delivery to be sent again",
    status=201,
    operation_id="WebhooksController_resendDelivery_v1",
)
def resend_webhook_delivery(call: Call) -> WebhookDelivery:
    """Queue a delivery to be sent again, byte for byte; this call does not send it."""
    delivery = _delivery_of(call)
    call.outbox.request_resend(delivery)
    return WebhookDelivery.of(delivery, call.outbox.attempts)


@_operation(
    "POST",
    _WEBHOOK + "/test",
    summary="Queue a test webhook",
    status=201,
    operation_id="WebhooksController_testWebhook_v1",
)
def test_webhook(call: Call) -> WebhookDelivery:
    """Queue the documented example of the webhook's type; this call does not send it."""
    delivery = call.outbox.request_test(_endpoint_of(call), call.at)
    return WebhookDelivery.of(delivery, ())


def delivery_id(delivery: Delivery) -> str:
    """The id of a delivery in the API: its number as an ObjectId."""
    return f"{delivery.number:024x}"


def _endpoint_of(call: Call) -> Endpoint:
    endpoint = call.outbox.endpoints.get(call.parameters["webhookId"])
    if endpoint is None:
        raise NotFound("Webhook not found", reason="no webhook with this id")
    return endpoint


def _delivery_of(call: Call) -> Delivery:
    endpoint, id_ = _endpoint_of(call), call.parameters["deliveryId"]
    for delivery in call.outbox:
        if delivery.endpoint_id == endpoint.id and delivery_id(delivery) == id_:
            return delivery
    raise NotFound("Webhook delivery not found", reason="the webhook has no delivery with this id")


def _shown(attempt: Attempt) -> WebhookAttempt:
    return WebhookAttempt(
        attempt=attempt.attempt,
        at=attempt.at,
        status=attempt.status,
        latency=attempt.latency,
        error=attempt.error or None,
    )
