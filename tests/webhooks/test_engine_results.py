"""What the engine returns and raises: results in words, removed receivers, endless deliveries."""

from typing import Any

import pytest

from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks
from pytest_turris.webhooks import engine as engine_module
from pytest_turris.webhooks.engine import DeliveryError, Engine

AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox for the engine."""
    return Sandbox(name="results")


@pytest.fixture
def webhooks(sandbox: Sandbox) -> TurrisWebhooks:
    """Its webhooks."""
    return TurrisWebhooks.of(sandbox)


def accept(body: bytes, headers: Any) -> bool:
    """Accept everything."""
    return True


def agreement(sandbox: Sandbox) -> None:
    """Execute an agreement."""
    sandbox.execute_agreement(sandbox.associations.add())


def sent_by_hand(sandbox: Sandbox, webhooks: TurrisWebhooks) -> str:
    """Claim and send one delivery as the standalone sandbox does; the result in words."""
    engine = Engine(sandbox, webhooks.scheme)
    claimed = engine.claim()
    assert claimed is not None
    return str(engine.send(claimed))


def test_nothing_is_claimed_of_an_empty_outbox(sandbox: Sandbox, webhooks: TurrisWebhooks) -> None:
    """There is nothing to send until something happens."""
    assert Engine(sandbox, webhooks.scheme).claim() is None


def test_result_of_a_removed_receiver(sandbox: Sandbox, webhooks: TurrisWebhooks) -> None:
    """A delivery whose receiver was removed says that it was not sent."""
    endpoint = webhooks.register(accept, event=AGREEMENT)
    agreement(sandbox)
    sandbox.outbox.endpoints.remove(endpoint.id)
    assert sent_by_hand(sandbox, webhooks) == (
        f"webhook 1 {AGREEMENT} -> a removed webhook: not sent, the webhook is removed"
    )


def test_result_of_an_unreachable_receiver(sandbox: Sandbox, webhooks: TurrisWebhooks) -> None:
    """A failed attempt says why, and when the next one is due; the URL is redacted."""
    webhooks.retry_after(60)
    url = "http://192.0.2.1/hooks?token=secret-word"
    sandbox.outbox.register(url, AGREEMENT, sandbox.clock.now())
    agreement(sandbox)
    result = sent_by_hand(sandbox, webhooks)
    assert result.startswith(
        f"webhook 1 {AGREEMENT} -> http://192.0.2.1/hooks?token=***: EgressRefused: "
    )
    assert result.endswith(f"; again at {sandbox.outbox.next_due():%H:%M:%S}Z")


def test_resend_to_a_removed_receiver(sandbox: Sandbox, webhooks: TurrisWebhooks) -> None:
    """A delivery cannot be sent again once its receiver was removed."""
    endpoint = webhooks.register(accept, event=AGREEMENT)
    agreement(sandbox)
    webhooks.drain()
    webhooks.remove(endpoint)
    with pytest.raises(UnknownRecordError, match="it was removed"):
        webhooks.resend(1)


def test_webhooks_that_cause_webhooks(
    sandbox: Sandbox, webhooks: TurrisWebhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver whose work causes another webhook is stopped at the limit."""
    monkeypatch.setattr(engine_module, "ATTEMPT_LIMIT", 20)

    def work(body: bytes, headers: Any) -> bool:
        agreement(sandbox)
        return True

    webhooks.register(work, event=AGREEMENT)
    agreement(sandbox)
    with pytest.raises(DeliveryError, match=r"stopped after 20 attempts"):
        webhooks.drain()
