"""The outbox of a sandbox: it has everything that happened by now, without a call for it."""

import contextlib
import datetime as dt
from typing import Any

import pytest
from doubles.sandbox_client import NOW

from mock_server.store.leases import Leases
from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.options import Options
from pytest_turris.core.outbox.attempts import Attempt
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks

AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"
STATUS = "AGENT_COMPLIANCE_STATUS_CHANGE"
URL = "https://receiver.invalid/"
ATTEMPT = Attempt(
    delivery=1, attempt=1, at=NOW, status=204, latency=0.25, error="", signature="***-abcd"
)


def agreement(sandbox: Sandbox) -> None:
    """Execute an agreement."""
    sandbox.execute_agreement(sandbox.associations.add())


def test_using_the_outbox_collects(sandbox: Sandbox) -> None:
    """An event becomes a delivery without a call for it."""
    sandbox.outbox.register(URL, AGREEMENT, sandbox.clock.now())
    agreement(sandbox)
    assert [delivery.webhook_type for delivery in sandbox.outbox] == [AGREEMENT]


def test_what_became_due_is_collected_too(sandbox: Sandbox) -> None:
    """A license that expires makes an event, which is due after the debounce."""
    sandbox.products.add(states=["CA"], required_company_code=None)
    agency = sandbox.associations.add(is_npn_required=False)
    agent = sandbox.agents.add(downstream_entity_association_id=agency.id)
    sandbox.licenses.add(npn=agent.npn, expiration_date=sandbox.clock.now() + dt.timedelta(days=1))
    sandbox.clock.advance(hours=1)
    sandbox.outbox.register(URL, STATUS, sandbox.clock.now())
    sandbox.clock.advance(days=2)
    (delivery,) = sandbox.outbox
    assert delivery.event["payload"][0]["npn"] == agent.npn


def test_what_happened_while_disabled_is_not_sent() -> None:
    """Enabled in Python as over HTTP, it receives what happens from now on only."""
    sandbox = Sandbox(Options(webhook_disable_after=1))
    webhooks = TurrisWebhooks.of(sandbox)
    endpoint = webhooks.register(lambda body, headers: False, event=AGREEMENT)
    agreement(sandbox)
    webhooks.drain()
    assert endpoint.disabled
    agreement(sandbox)
    webhooks.enable(endpoint)
    assert webhooks.drain().attempts == 0
    agreement(sandbox)
    assert webhooks.drain().attempts == 1


def test_what_happened_before_a_removal_is_unsent(sandbox: Sandbox) -> None:
    """It was on its way to the webhook, whether or not the outbox was looked at."""
    webhooks = TurrisWebhooks.of(sandbox)
    endpoint = webhooks.register(lambda body, headers: True, event=AGREEMENT)
    agreement(sandbox)
    webhooks.remove(endpoint)
    done = webhooks.drain()
    assert (done.attempts, done.unsent) == (0, 1)


@pytest.mark.parametrize("event", EVENTS)
def test_a_test_delivery_is_complete_when_it_is_made(sandbox: Sandbox, event: str) -> None:
    """It holds the documented example; nothing is filled in when it is sent."""
    endpoint = sandbox.outbox.register(URL, event, sandbox.clock.now())
    delivery = sandbox.outbox.request_test(endpoint, sandbox.clock.now())
    assert delivery.event["upstreamEntityId"] == sandbox.upstream_entity_id
    assert EVENTS[event].model_validate(delivery.event).webhook_type == event


def test_a_snapshot_leaves_the_outbox_as_it_is(sandbox: Sandbox) -> None:
    """Taking one does not collect; the next use of the outbox does."""
    sandbox.outbox.register(URL, AGREEMENT, sandbox.clock.now())
    agreement(sandbox)
    assert sandbox.snapshot() == sandbox.snapshot()
    assert sandbox.snapshot()["outbox"]["waiting"] == []
    assert len(sandbox.outbox) == 1


def test_an_unknown_webhook_or_delivery_is_refused(sandbox: Sandbox) -> None:
    """Removed, enabled or resent: the error says which one is not there."""
    webhooks = TurrisWebhooks.of(sandbox)
    endpoint = webhooks.register(lambda body, headers: True, event=AGREEMENT)
    agreement(sandbox)
    webhooks.drain()
    webhooks.remove(endpoint)
    for act in (webhooks.remove, webhooks.enable):
        with pytest.raises(UnknownRecordError, match=rf"^no webhook with id '{endpoint.id}'$"):
            act(endpoint)
    with pytest.raises(UnknownRecordError, match=rf"^no webhook with id '{endpoint.id}'"):
        webhooks.resend(1)
    with pytest.raises(UnknownRecordError, match=r"^no delivery with number 9$"):
        webhooks.resend(9)


@pytest.mark.parametrize("accepts", [True, False])
def test_a_receiver_may_remove_its_own_webhook(sandbox: Sandbox, accepts: bool) -> None:
    """The attempt under way is recorded as usual; nothing is counted against it."""
    webhooks = TurrisWebhooks.of(sandbox)

    def receive(body: bytes, headers: object) -> bool:
        webhooks.remove(endpoint)
        return accepts

    endpoint = webhooks.register(receive, event=AGREEMENT)
    agreement(sandbox)
    done = webhooks.drain()
    assert (done.attempts, done.delivered, done.failed) == (1, int(accepts), int(not accepts))
    assert endpoint.failures == 0


def test_a_resend_that_cannot_be_made_leaves_the_delivery(sandbox: Sandbox) -> None:
    """What it raises reaches the caller, and the delivery keeps its state."""
    webhooks = TurrisWebhooks.of(sandbox)
    answers: list[Any] = [False, None]
    webhooks.register(lambda body, headers: answers.pop(0), event=AGREEMENT)
    agreement(sandbox)
    webhooks.drain()
    with pytest.raises(TypeError, match="not a bool"):
        webhooks.resend(1)
    (delivery,) = webhooks.deliveries
    assert (delivery.state, delivery.resends) == ("failed", 0)


def two_due(sandbox: Sandbox) -> dt.datetime:
    """Register a webhook, let it wait for two deliveries, and return the present."""
    now = sandbox.clock.now()
    endpoint = sandbox.outbox.register(URL, AGREEMENT, now)
    for _ in range(2):
        sandbox.outbox.request_test(endpoint, now)
    return now


def test_an_attempt_that_began_before_a_restore_is_no_part_of_the_state(sandbox: Sandbox) -> None:
    """It is not logged, and its delivery waits as in the snapshot."""
    now = two_due(sandbox)
    before = sandbox.snapshot()
    taken = sandbox.outbox.pop_delivery(now)
    assert taken is not None
    sandbox.restore(before)
    sandbox.outbox.record(taken, ATTEMPT)
    assert len(sandbox.outbox.attempts) == 0
    assert sandbox.snapshot() == before


def test_what_another_process_claimed_is_passed_over(sandbox: Sandbox) -> None:
    """The one behind it is taken; the claimed one waits."""
    now = two_due(sandbox)
    claims = sandbox.outbox.claims = Leases("here", 60)
    claims.restore({"1": ("elsewhere", 60.0)})
    taken = sandbox.outbox.pop_delivery(now)
    assert taken is not None
    assert taken.number == 2
    assert sandbox.outbox.pop_delivery(now) is None
    assert [one.number for one in sandbox.outbox.unsent] == [2, 1]
    sandbox.outbox.record(taken, ATTEMPT)
    assert [(one.number, one.state) for one in sandbox.outbox] == [(2, "delivered"), (1, "pending")]


def test_an_attempt_without_a_claim_is_the_other_processs(sandbox: Sandbox) -> None:
    """Another one claimed the delivery meanwhile: it logs its own, and the delivery waits here."""
    now = two_due(sandbox)
    before = sandbox.snapshot()
    claims = sandbox.outbox.claims = Leases("here", 60)
    taken = sandbox.outbox.pop_delivery(now)
    assert taken is not None
    claims.restore({"1": ("elsewhere", 60.0)})

    def change() -> None:
        sandbox.outbox.record(taken, ATTEMPT)
        raise ZeroDivisionError

    with contextlib.suppress(ZeroDivisionError):
        sandbox.undo.run(change)
    assert list(sandbox.outbox.in_flight) == [taken]
    sandbox.outbox.record(taken, ATTEMPT)
    assert list(sandbox.outbox.in_flight) == []
    assert len(sandbox.outbox.attempts) == 0
    assert sandbox.snapshot() == before
