"""Webhooks over HTTP: register, list, get, delete, enable, deliveries, resend, test.

The guide registers them "using our API", and no page with the operations could be read: all of
it is assumed. Nothing is sent from here: a resend and a test are put into the outbox. In a test
``turris_webhooks.drain()`` or ``deliver_due()`` sends them, elsewhere ``turris-sandbox serve``.
"""

from functools import partial

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import Link, operation
from pytest_turris.core.entity.events import EventKind
from pytest_turris.core.outbox.deliveries import Delivery
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.outbox.receiver_url import ReceiverUrl
from pytest_turris.core.resources.webhooks import (
    RegisteredWebhook,
    Webhook,
    WebhookDelivery,
    delivery_id,
)
from pytest_turris.core.wire.errors import NotFound
from pytest_turris.core.wire.model import RequestModel

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
    """Register a receiver: it hears of what happens from now on, and its secret is shown once.

    The secret signs what it gets: its own, or the one of the option ``webhook_secret``.
    """
    body = call.body(RegisterWebhookDto)
    _collect(call)
    endpoint = call.outbox.register(
        body.url, body.webhook_type, call.at, call.options.webhook_secret
    )
    return RegisteredWebhook.of(endpoint)


@_operation("GET", PATH, summary="List webhooks", operation_id="WebhooksController_getWebhooks_v1")
def list_webhooks(call: Call) -> list[Webhook]:
    """The registered webhooks, in the order of their registration."""
    return [Webhook.of(endpoint) for endpoint in call.outbox.endpoints]


@_operation(
    "GET", _WEBHOOK, summary="Get a webhook", operation_id="WebhooksController_getWebhook_v1"
)
def get_webhook(call: Call) -> Webhook:
    """One webhook; 404 if there is none."""
    return Webhook.of(_endpoint_of(call))


@_operation(
    "DELETE",
    _WEBHOOK,
    summary="Delete a webhook",
    status=204,
    operation_id="WebhooksController_deleteWebhook_v1",
)
def delete_webhook(call: Call) -> None:
    """Forget a webhook: what is on its way to it is not sent."""
    call.outbox.endpoints.remove(_endpoint_of(call).id)


@_operation(
    "POST",
    _WEBHOOK + "/enable",
    summary="Let a disabled webhook hear again",
    status=201,
    operation_id="WebhooksController_enableWebhook_v1",
)
def enable_webhook(call: Call) -> Webhook:
    """Let a disabled webhook hear again of what happens from now on; what was not sent is not."""
    endpoint = _endpoint_of(call)
    _collect(call)
    endpoint.enable()
    return Webhook.of(endpoint)


@_operation(
    "GET",
    _WEBHOOK + "/deliveries",
    summary="List a webhook's deliveries with every attempt",
    operation_id="WebhooksController_getDeliveries_v1",
)
def list_webhook_deliveries(call: Call) -> list[WebhookDelivery]:
    """The deliveries to a webhook, oldest first, those that wait included."""
    endpoint = _endpoint_of(call)
    _collect(call)
    return [
        WebhookDelivery.of(delivery, call.outbox.attempts)
        for delivery in sorted(call.outbox, key=lambda delivery: delivery.number)
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
    """Queue a delivery to be sent again, byte for byte; it is not sent here."""
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
    """Queue the documented example of the webhook's type; it is not sent here."""
    delivery = call.outbox.request_test(_endpoint_of(call), call.at)
    return WebhookDelivery.of(delivery, ())


def _endpoint_of(call: Call) -> Endpoint:
    endpoint = call.outbox.endpoints.get(call.parameters["webhookId"])
    if endpoint is None:
        raise NotFound("Webhook not found", reason="no webhook with this id")
    return endpoint


def _delivery_of(call: Call) -> Delivery:
    endpoint, wanted = _endpoint_of(call), call.parameters["deliveryId"]
    for delivery in call.outbox:
        if delivery.endpoint_id == endpoint.id and delivery_id(delivery) == wanted:
            return delivery
    raise NotFound("Webhook delivery not found", reason="the webhook has no delivery with this id")


def _collect(call: Call) -> None:
    call.outbox.collect(call.entity.events, call.at)
