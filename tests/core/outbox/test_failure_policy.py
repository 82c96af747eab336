"""What a receiver's failures lead to: disabled webhooks, 410, ``Retry-After``."""

import datetime as dt
import itertools
import json
from email.utils import format_datetime
from typing import Any

import pytest

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks
from pytest_turris.receivers.retry_after import retry_after_seconds

AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Receiver:
    """Answers with each status in turn, repeating the last one, and with extra headers."""

    def __init__(self, *answers: int, **headers: str) -> None:
        self.answers = list(answers)
        self.headers = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.got = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """Answer as WSGI asks."""
        self.got += 1
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        start_response(f"{status} x", self.headers)
        return []


def engine(*waits: float, **options: Any) -> TurrisWebhooks:
    """An engine with options, which retries after these seconds."""
    made = TurrisWebhooks.of(Sandbox(Options(**options), name="policy"))
    made.retry_after(*waits)
    return made


def agreements(webhooks: TurrisWebhooks, count: int) -> None:
    """Execute this many agreements."""
    sandbox = webhooks._sandbox
    for _ in range(count):
        sandbox.execute_agreement(sandbox.associations.add())


def waits(webhooks: TurrisWebhooks) -> list[float]:
    """The seconds between the attempts."""
    moments = [attempt.at for attempt in webhooks.attempts]
    return [(b - a).total_seconds() for a, b in itertools.pairwise(moments)]


def test_gone_disables() -> None:
    """After a 410 nothing more is sent, and the log and the summary say why."""
    webhooks, receiver = engine(60, webhook_gone_disables=True), Receiver(410)
    endpoint = webhooks.register(receiver, event=AGREEMENT)
    agreements(webhooks, 3)
    done = webhooks.drain()
    agreements(webhooks, 1)
    assert (receiver.got, done.attempts, done.failed, done.unsent) == (1, 1, 1, 2)
    assert [one.state for one in webhooks.deliveries] == ["failed", "disabled", "disabled"]
    assert endpoint.disabled.startswith("it answered 410 Gone at ")
    assert endpoint.disabled.endswith("Z on the sandbox's clock (option webhook_gone_disables)")
    assert webhooks.attempts[0].error == f"status 410; the webhook is disabled: {endpoint.disabled}"
    assert str(done).splitlines() == [
        f"1 attempt in {done.took} on the sandbox's clock: 0 delivered, 1 failed, 2 not sent",
        f"{AGREEMENT} to app:/ is disabled: {endpoint.disabled}",
    ]


def test_gone_is_a_failure_like_others_by_default() -> None:
    """By default a 410 is retried and disables nothing."""
    webhooks, receiver = engine(60), Receiver(410)
    endpoint = webhooks.register(receiver, event=AGREEMENT)
    agreements(webhooks, 1)
    assert (webhooks.drain().attempts, endpoint.disabled) == (2, "")


def test_failed_deliveries_in_a_row_disable() -> None:
    """Failed deliveries are counted, not their attempts; a success resets the count."""
    webhooks = engine(60, webhook_disable_after=2)
    receiver = Receiver(500, 500, 204, 500, 500, 500, 500, 204)
    endpoint = webhooks.register(receiver, event=AGREEMENT)
    for failures in (1, 0, 1, 2):
        assert not endpoint.disabled
        agreements(webhooks, 1)
        webhooks.drain()
        assert endpoint.failures == failures
    assert endpoint.disabled.startswith("2 deliveries in a row failed, the last at ")
    assert endpoint.disabled.endswith("(option webhook_disable_after=2)")
    agreements(webhooks, 1)
    assert (webhooks.drain().attempts, receiver.got) == (0, 7)


def test_bad_receiver_is_not_disabled_by_default() -> None:
    """No matter how often it fails."""
    webhooks, receiver = engine(), Receiver(500)
    endpoint = webhooks.register(receiver, event=AGREEMENT)
    agreements(webhooks, 30)
    done = webhooks.drain()
    assert (done.failed, done.unsent, endpoint.disabled, done.disabled) == (30, 0, "", ())


def test_good_receiver_is_never_disabled() -> None:
    """A delivery that succeeds at the last attempt counts as delivered."""
    options = {"webhook_disable_after": 1, "webhook_gone_disables": True}
    webhooks, receiver = engine(5, 5, **options), Receiver(500, 503, 204)
    endpoint = webhooks.register(receiver, event=AGREEMENT)
    agreements(webhooks, 5)
    assert (webhooks.drain().delivered, endpoint.disabled) == (5, "")


def test_only_the_bad_one_is_disabled() -> None:
    """The others stay enabled."""
    webhooks = engine(webhook_disable_after=1)
    good, bad = Receiver(204), Receiver(500)
    for receiver in (good, bad):
        webhooks.register(receiver, event=AGREEMENT)
    agreements(webhooks, 3)
    done = webhooks.drain()
    assert (done.delivered, done.failed, done.unsent) == (3, 1, 2)
    assert (good.got, bad.got, len(done.disabled)) == (3, 1, 1)


def test_enabled_webhook_receives_again() -> None:
    """What happened meanwhile is not sent automatically, but can be resent by hand."""
    webhooks, receiver = engine(webhook_gone_disables=True), Receiver(410, 204)
    endpoint = webhooks.register(receiver, event=AGREEMENT)
    agreements(webhooks, 2)
    webhooks.drain()
    with pytest.raises(RuntimeError, match="not sent, it is disabled: it answered 410 Gone"):
        webhooks.test(endpoint)
    assert webhooks.resend(webhooks.deliveries[1]).succeeded
    webhooks.enable(endpoint)
    agreements(webhooks, 1)
    assert webhooks.drain().delivered == 1
    states = [one.state for one in webhooks.deliveries]
    assert states == ["failed", "delivered", "disabled", "delivered"]


def test_retry_after_delays_an_attempt() -> None:
    """``Retry-After`` delays an attempt, never hastens or adds one, and is in the log."""
    webhooks = engine(10, 200, webhook_honours_retry_after=True)
    webhooks.register(Receiver(503, Retry_After="120"), event=AGREEMENT)
    agreements(webhooks, 1)
    assert webhooks.drain().attempts == 3
    assert waits(webhooks) == pytest.approx([120, 200], abs=0.5)
    assert webhooks.attempts[0].error == "status 503, Retry-After: 120"
    assert webhooks.attempts[0].retry_after == 120


def test_retry_after_is_ignored_by_default() -> None:
    """By default only the schedule counts, and the log shows what was asked for."""
    webhooks = engine(10)
    webhooks.register(Receiver(503, Retry_After="120"), event=AGREEMENT)
    agreements(webhooks, 1)
    webhooks.drain()
    assert waits(webhooks) == pytest.approx([10], abs=0.5)
    assert webhooks.attempts[0].retry_after == 120


def test_retry_after_is_capped() -> None:
    """The longest delay is a day."""
    webhooks = engine(10, webhook_honours_retry_after=True)
    webhooks.register(Receiver(429, Retry_After="9" * 18), event=AGREEMENT)
    agreements(webhooks, 1)
    webhooks.drain()
    assert waits(webhooks) == pytest.approx([86_400], abs=0.5)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 90 ", 90),
        (format_datetime(NOW + dt.timedelta(hours=1), usegmt=True), 3_600),
        (format_datetime(NOW - dt.timedelta(hours=1), usegmt=True), 0),
        ("Thu, 01 Jan 2026 00:01:00 -0000", 60),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, None),
        ("Thu, 99 Jan 2026 00:00:00 GMT", None),
        ("Thu, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Thu, 01 Jan 2026 00:00:00 +99999999999999", None),
    ],
)
def test_retry_after_seconds(value: str, seconds: float | None) -> None:
    """A number of seconds or a date; anything else asks for no delay."""
    assert retry_after_seconds(value, NOW) == seconds


def test_disabled_webhooks_survive_a_snapshot() -> None:
    """Disabled webhooks, the reasons and ``Retry-After`` are part of the state."""
    webhooks = engine(webhook_gone_disables=True, webhook_disable_after=3)
    webhooks.register(Receiver(410, Retry_After="5"), event=AGREEMENT)
    webhooks.register(Receiver(500), event=AGREEMENT)
    agreements(webhooks, 2)
    webhooks.drain()
    kept = json.loads(json.dumps(webhooks._sandbox.snapshot()))
    other = Sandbox(webhooks._sandbox.options, name="another")
    other.restore(kept)
    assert other.snapshot() == kept
    gone, failing = TurrisWebhooks.of(other).endpoints
    assert gone.disabled.startswith("it answered 410")
    assert (failing.failures, failing.disabled) == (2, "")
