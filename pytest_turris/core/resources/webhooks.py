"""Webhooks and their deliveries, as the API shows them.

The help centre (settings-webhook) documents what there is: one URL, one type, a secret shown
once, every attempt with its status and error. All names on the wire are assumed.
"""

from collections.abc import Iterable
from typing import Self

from pydantic import Field

from pytest_turris.core.entity.events import EventKind
from pytest_turris.core.outbox.deliveries import Attempt, Delivery, State
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.resources.collection import WireModel
from pytest_turris.core.wire.model import Amount, ObjectId, Timestamp


class Webhook(WireModel):
    """One registered webhook, without its secret (assumed).

    ``disabled`` says why it hears of nothing any more; it is not there while it does.
    """

    id: ObjectId = Field(alias="_id")
    url: str
    webhook_type: EventKind
    created_at: Timestamp
    disabled: str | None = None

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        """What is shown of an endpoint."""
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
    """One attempt (assumed): ``attempt`` is 0 by hand; no ``status`` without an answer.

    ``latency`` is in seconds; ``error`` is there if it failed.
    """

    attempt: int
    at: Timestamp
    status: int | None
    latency: Amount
    error: str | None


class WebhookDelivery(WireModel):
    """One delivery with every attempt that is remembered, oldest first (assumed)."""

    id: ObjectId = Field(alias="_id")
    webhook_id: ObjectId
    webhook_type: str
    state: State
    attempts: list[WebhookAttempt]

    @classmethod
    def of(cls, delivery: Delivery, attempts: Iterable[Attempt]) -> Self:
        """What is shown of a delivery, its attempts picked from the log."""
        return cls(
            _id=delivery_id(delivery),
            webhook_id=delivery.endpoint_id,
            webhook_type=delivery.webhook_type,
            state=delivery.state,
            attempts=[_shown(one) for one in attempts if one.delivery == delivery.number],
        )


def delivery_id(delivery: Delivery) -> str:
    """The number of a delivery in the form of the API's ids."""
    return f"{delivery.number:024x}"


def _shown(attempt: Attempt) -> WebhookAttempt:
    return WebhookAttempt(
        attempt=attempt.attempt,
        at=attempt.at,
        status=attempt.status,
        latency=attempt.latency,
        error=attempt.error or None,
    )
