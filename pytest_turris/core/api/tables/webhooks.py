"""Webhooks: every path, name and status is assumed (guides/webhooks: "using our API")."""

from collections.abc import Callable
from functools import partial

from pytest_turris.core.api.call import Operation
from pytest_turris.core.api.operations import webhooks
from pytest_turris.core.api.operations.webhooks import RegisteredWebhook, Webhook, WebhookDelivery

_assumed: Callable[..., Operation] = partial(
    Operation,
    tag="webhooks",
    page="guides/webhooks",
    documented=False,
    operation_id_documented=False,
    provenance="assumed",
    status_provenance="assumed",
)


def rows(path: str) -> tuple[Operation, ...]:
    """The operations below a path, the one of the option ``webhooks_path``."""
    one = path + "/{webhookId}"
    return (
        _assumed(
            name="register_webhook", method="POST", path=path, status=201,
            operation_id="WebhooksController_registerWebhook_v1",
            handler=webhooks.register_webhook, summary="Register a webhook",
            body=webhooks.RegisterWebhookDto, answer=RegisteredWebhook,
        ),
        _assumed(
            name="list_webhooks", method="GET", path=path,
            operation_id="WebhooksController_getWebhooks_v1",
            handler=webhooks.list_webhooks, summary="List webhooks", answer=Webhook, many=True,
        ),
        _assumed(
            name="get_webhook", method="GET", path=one,
            operation_id="WebhooksController_getWebhook_v1", handler=webhooks.get_webhook,
            summary="Get a webhook", answer=Webhook,
        ),
        _assumed(
            name="delete_webhook", method="DELETE", path=one, status=204,
            operation_id="WebhooksController_deleteWebhook_v1",
            handler=webhooks.delete_webhook, summary="Delete a webhook",
        ),
        _assumed(
            name="enable_webhook", method="POST", path=one + "/enable", status=201,
            operation_id="WebhooksController_enableWebhook_v1",
            handler=webhooks.enable_webhook, summary="Let a disabled webhook hear again",
            answer=Webhook,
        ),
        _assumed(
            name="list_webhook_deliveries", method="GET", path=one + "/deliveries",
            operation_id="WebhooksController_getDeliveries_v1",
            handler=webhooks.list_deliveries,
            summary="List a webhook's deliveries with every attempt", answer=WebhookDelivery,
            many=True,
        ),
        _assumed(
            name="resend_webhook_delivery", method="POST", status=201,
            path=one + "/deliveries/{deliveryId}/resend",
            operation_id="WebhooksController_resendDelivery_v1",
            handler=webhooks.resend_delivery, summary="Queue a delivery to be sent again",
            answer=WebhookDelivery,
        ),
        _assumed(
            name="test_webhook", method="POST", path=one + "/test", status=201,
            operation_id="WebhooksController_testWebhook_v1", handler=webhooks.test_webhook,
            summary="Queue a test webhook", answer=WebhookDelivery,
        ),
    )  # fmt: skip
