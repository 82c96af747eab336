"""Registered receivers: what is checked, what they receive, and test webhooks."""

import json

import pytest
from doubles.receivers.recording import RecordingReceiver

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks
from pytest_turris.receivers.egress import EgressRefused
from pytest_turris.receivers.target import Target
from pytest_turris.webhooks.engine import DeliveryError

STATUS = "AGENT_COMPLIANCE_STATUS_CHANGE"
AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox with receivers."""
    return Sandbox(name="registration")


@pytest.fixture
def webhooks(sandbox: Sandbox) -> TurrisWebhooks:
    """Its webhooks."""
    return TurrisWebhooks.of(sandbox)


@pytest.fixture
def receiver() -> RecordingReceiver:
    """A receiver that accepts."""
    return RecordingReceiver()


def agreements(sandbox: Sandbox, count: int) -> None:
    """Execute this many agreements."""
    for _ in range(count):
        sandbox.execute_agreement(sandbox.associations.add())


def test_one_type_for_each_receiver(
    sandbox: Sandbox, webhooks: TurrisWebhooks, receiver: RecordingReceiver
) -> None:
    """A receiver gets its own type, and nothing from before its registration."""
    agreements(sandbox, 1)
    webhooks.register(receiver, event=STATUS)
    other = RecordingReceiver()
    webhooks.register(other, event=AGREEMENT)
    agreements(sandbox, 1)
    webhooks.drain()
    assert (len(receiver.bodies), len(other.bodies)) == (0, 1)


def test_removed_receiver_gets_nothing(
    sandbox: Sandbox, webhooks: TurrisWebhooks, receiver: RecordingReceiver
) -> None:
    """Deliveries that wait for a removed receiver are not sent."""
    receiver.answers = [500]
    webhooks.retry_after(60)
    endpoint = webhooks.register(receiver, event=AGREEMENT)
    agreements(sandbox, 1)
    webhooks.deliver_due()
    webhooks.remove(endpoint)
    webhooks.drain()
    assert len(receiver.bodies) == 1
    assert [delivery.state for delivery in webhooks.deliveries] == ["removed"]


def test_test_webhook(webhooks: TurrisWebhooks, receiver: RecordingReceiver) -> None:
    """A test webhook is sent at once, without an event in the sandbox."""
    endpoint = webhooks.register(receiver, event=STATUS)
    assert webhooks.test(endpoint).succeeded
    assert json.loads(receiver.bodies[0])["webhookType"] == STATUS


def test_registration_is_checked(webhooks: TurrisWebhooks, receiver: RecordingReceiver) -> None:
    """A URL elsewhere and an unknown type are refused at once."""
    with pytest.raises(EgressRefused):
        webhooks.register("http://192.0.2.1/", event=STATUS)
    with pytest.raises(ValueError, match="no event 'X'"):
        webhooks.register(receiver, event="X")
    assert webhooks.endpoints == ()


def test_secret_of_a_receiver_is_not_shown(
    webhooks: TurrisWebhooks, receiver: RecordingReceiver
) -> None:
    """The one-time secret signs, and is in no repr."""
    secret = "turris_sandbox_whsec_of_this_receiver"
    endpoint = webhooks.register(receiver, event=STATUS, secret=secret)
    webhooks.test(endpoint)
    webhooks.scheme.verify(
        receiver.bodies[0], {"X-Turris-Signature": receiver.signatures[0]}, secret
    )
    assert secret not in repr(endpoint) + repr(webhooks) + repr(webhooks.deliveries)


def test_test_webhook_that_is_not_sent(
    webhooks: TurrisWebhooks, receiver: RecordingReceiver
) -> None:
    """A test webhook that was dropped is an error that says so."""
    endpoint = webhooks.register(receiver, event=AGREEMENT)
    webhooks.disturb(drop=1)
    with pytest.raises(DeliveryError, match="was not sent, it is dropped"):
        webhooks.test(endpoint)


def test_targets_are_registered(webhooks: TurrisWebhooks, receiver: RecordingReceiver) -> None:
    """A target keeps what it allows, and shows its URL or its path."""
    inside = webhooks.register(Target.of(receiver, "/hooks"), event=AGREEMENT)
    url = "http://192.0.2.1:80/hooks"
    outside = webhooks.register(Target.of(url, allow=["192.0.2.1:80"]), event=AGREEMENT)
    assert [inside.url, outside.url] == ["app:/hooks", url]
    with pytest.raises(EgressRefused):
        webhooks.register(Target.of(url), event=AGREEMENT)
