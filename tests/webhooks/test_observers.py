"""Observers are notified of what receivers accept, by whichever sender, until they are removed."""

import asyncio
from collections.abc import Iterator

import pytest

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.observers import AcceptedDelivery, add_observer, remove_observer

AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"


class Notes:
    """An observer that keeps what it is notified of."""

    def __init__(self) -> None:
        self.sent: list[AcceptedDelivery] = []
        self.awaited: list[AcceptedDelivery] = []

    def delivery_accepted(self, delivery: AcceptedDelivery) -> None:
        """Keep it."""
        self.sent.append(delivery)

    async def adelivery_accepted(self, delivery: AcceptedDelivery) -> None:
        """Keep it."""
        self.awaited.append(delivery)


@pytest.fixture
def notes() -> Iterator[Notes]:
    """An observer of this test."""
    observer = Notes()
    add_observer(observer)
    yield observer
    remove_observer(observer)


def accept(body: bytes, headers: object) -> bool:
    """Accept everything."""
    return True


def refuse(body: bytes, headers: object) -> bool:
    """Refuse everything."""
    return False


def test_sent_webhooks_are_observed(webhooks: WebhookFactory, notes: Notes) -> None:
    """An accepted webhook is observed with its receiver and its bytes, a refused one is not."""
    webhook = webhooks.sign(b"{}")
    webhook.send(accept, "/webhooks?token=secret-word")
    webhook.send(refuse)
    asyncio.run(webhook.asend(accept))
    asyncio.run(webhook.asend(refuse))
    (sent,), (awaited,) = notes.sent, notes.awaited
    assert sent.description == f"{webhook!r} to /webhooks?token=***"
    assert awaited.description == f"{webhook!r} to /"
    assert sent.sent.body == awaited.sent.body == b"{}"
    assert sent.target.post(sent.sent).accepted


def test_delivered_webhooks_are_observed(notes: Notes) -> None:
    """What the engine delivers is observed once it is accepted; the URL is redacted."""
    sandbox = Sandbox(name="observed")
    made = TurrisWebhooks.of(sandbox)
    made.register(accept, "/hooks?token=secret-word", event=AGREEMENT)
    made.register(refuse, event=AGREEMENT)
    sandbox.execute_agreement(sandbox.associations.add())
    made.drain()
    (sent,) = notes.sent
    size = len(sent.sent.body)
    assert sent.description == f"{AGREEMENT}, {size} bytes, to app:/hooks?token=***"


def test_removed_observers_are_not_notified(webhooks: WebhookFactory, notes: Notes) -> None:
    """After its removal an observer hears of nothing."""
    add_observer(other := Notes())
    remove_observer(other)
    webhooks.sign(b"{}").send(accept)
    assert (len(notes.sent), other.sent) == (1, [])
