"""The engine: what happens in the sandbox reaches registered receivers, on its clock."""

import datetime as dt
import itertools
import json
from collections import Counter
from typing import Any

import httpx
import pytest
from doubles.receivers.recording import RecordingReceiver
from freezegun import freeze_time

from pytest_turris.core.entity.event_facts import (
    ComplianceChange,
    EventKind,
    StateEntry,
    StatusEntry,
)
from pytest_turris.core.options import Options
from pytest_turris.core.outbox.retry_schedules import SCHEDULES, schedule_from, schedule_of
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks

STATUS: EventKind = "AGENT_COMPLIANCE_STATUS_CHANGE"
AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox."""
    return Sandbox(name="engine")


@pytest.fixture
def webhooks(sandbox: Sandbox) -> TurrisWebhooks:
    """Its engine."""
    return TurrisWebhooks.of(sandbox)


@pytest.fixture
def receiver() -> RecordingReceiver:
    """A receiver that accepts."""
    return RecordingReceiver()


def licensed_agent(sandbox: Sandbox, days: int = 10) -> Any:
    """Add an agent whose license expires."""
    sandbox.products.add(states=("CA",))
    agency = sandbox.associations.add(is_npn_required=False)
    agent = sandbox.agents.add(npn="12345678", downstream_entity_association_id=agency.id)
    expires = sandbox.clock.now() + dt.timedelta(days=days)
    sandbox.licenses.add(npn="12345678", state_code="CA", expiration_date=expires)
    return agent


def agreements(sandbox: Sandbox, count: int) -> None:
    """Execute this many agreements."""
    for _ in range(count):
        sandbox.execute_agreement(sandbox.associations.add())


def test_expired_license_sends_a_status_change(
    sandbox: Sandbox, webhooks: TurrisWebhooks, receiver: RecordingReceiver
) -> None:
    """A license that expires by time travel sends a webhook, a minute later."""
    licensed_agent(sandbox)
    endpoint = webhooks.register(receiver, event=STATUS)
    webhooks.drain()
    receiver.bodies.clear()

    sandbox.clock.advance(days=11)
    webhooks.drain()

    event = json.loads(receiver.bodies[-1])
    assert event["webhookType"] == STATUS
    assert event["payload"][0]["npn"] == "12345678"
    assert event["payload"][0]["products"][0]["states"][0]["complianceStatus"] == "NOT_COMPLIANT"
    webhooks.verify(receiver.bodies[-1], {"X-Turris-Signature": receiver.signatures[-1]})
    assert endpoint.id == webhooks.deliveries[-1].endpoint_id


def test_agreement_is_sent_at_once(
    sandbox: Sandbox, webhooks: TurrisWebhooks, receiver: RecordingReceiver
) -> None:
    """An executed agreement is not held back."""
    webhooks.register(receiver, event=AGREEMENT)
    agreements(sandbox, 1)
    assert webhooks.deliver_due().delivered == 1
    assert json.loads(receiver.bodies[0])["webhookType"] == AGREEMENT


def change(sandbox: Sandbox, status: str) -> None:
    """Log one status change as the core does."""
    agency = next(iter(sandbox.associations), None) or sandbox.associations.add()
    fact = ComplianceChange(
        npn="1",
        downstream_entity_association_id=agency.id,
        product_id="1" * 24,
        product_name="P",
        state=StateEntry(
            state_code="CA",
            compliance_status=status,
            license_status=StatusEntry(status_name="Licensed"),
            appointment_status=StatusEntry(status_name="Appointed"),
        ),
        was="COMPLIANT",
    )
    sandbox.events.append(STATUS, sandbox.clock.now(), fact)


def test_changes_within_a_minute_are_one_webhook(
    sandbox: Sandbox, webhooks: TurrisWebhooks, receiver: RecordingReceiver
) -> None:
    """Three changes arrive as one, with the last state, a minute after the last."""
    webhooks.register(receiver, event=STATUS)
    for status in ("NOT_COMPLIANT", "COMPLIANT", "NOT_COMPLIANT"):
        change(sandbox, status)
        webhooks.deliver_due()
        sandbox.clock.advance(seconds=59)
    assert receiver.bodies == []
    sandbox.clock.advance(seconds=1)
    webhooks.deliver_due()
    (body,) = receiver.bodies
    states = json.loads(body)["payload"][0]["products"][0]["states"]
    assert [state["complianceStatus"] for state in states] == ["NOT_COMPLIANT"]


def test_continuous_changes_are_sent_after_half_an_hour(
    sandbox: Sandbox, webhooks: TurrisWebhooks, receiver: RecordingReceiver
) -> None:
    """Under continuous changes the cap of 30 minutes applies."""
    webhooks.register(receiver, event=STATUS)
    begin = sandbox.clock.now()
    while not receiver.bodies:
        change(sandbox, "NOT_COMPLIANT")
        sandbox.clock.advance(seconds=30)
        webhooks.deliver_due()
    assert dt.timedelta(minutes=30) <= sandbox.clock.now() - begin < dt.timedelta(minutes=31)


@pytest.mark.parametrize("name", ["standard", "svix", "stripe"])
def test_retries_follow_the_schedule(name: Any, receiver: RecordingReceiver) -> None:
    """Attempts follow the schedule, with the same bytes, and end."""
    sandbox = Sandbox(Options(webhook_retries=name), name="retries")
    webhooks = TurrisWebhooks.of(sandbox)
    receiver.answers = [500] * 99
    webhooks.register(receiver, event=AGREEMENT)
    agreements(sandbox, 1)
    done = webhooks.drain()
    moments = [attempt.at for attempt in webhooks.attempts]
    waits = [(b - a).total_seconds() for a, b in itertools.pairwise(moments)]
    assert waits == pytest.approx(SCHEDULES[name], abs=0.5)
    assert (done.attempts, done.failed) == (len(SCHEDULES[name]) + 1, 1)
    assert len(set(receiver.bodies)) == len(set(receiver.signatures)) == 1


def test_without_a_schedule_there_is_one_attempt(
    sandbox: Sandbox, webhooks: TurrisWebhooks, receiver: RecordingReceiver
) -> None:
    """Turris documents no retries; a resend by hand sends the same bytes."""
    receiver.answers = [500]
    webhooks.register(receiver, event=AGREEMENT)
    agreements(sandbox, 1)
    assert webhooks.drain().failed == 1
    (delivery,) = webhooks.deliveries
    attempt = webhooks.resend(delivery)
    assert (attempt.status, delivery.state, delivery.resends) == (204, "delivered", 1)
    assert receiver.bodies[0] == receiver.bodies[1]
    assert receiver.signatures[0] == receiver.signatures[1]


def test_bad_schedules_are_refused(webhooks: TurrisWebhooks) -> None:
    """A wait is a number of seconds; a name is one of four."""
    with pytest.raises(ValueError, match="negative"):
        webhooks.retry_after(5, -1)
    with pytest.raises(ValueError, match="infinite"):
        schedule_from([float("inf")])
    with pytest.raises(KeyError):
        schedule_of("hourly")


def test_log_has_status_latency_error_and_signature(
    sandbox: Sandbox, webhooks: TurrisWebhooks
) -> None:
    """Each attempt is logged with its signature masked; 30 seconds are the limit."""

    def slow(body: bytes, headers: Any) -> bool:
        sandbox.clock.advance(seconds=31)
        return True

    def fails(body: bytes, headers: Any) -> bool:
        raise KeyError("x")

    webhooks.register(slow, event=AGREEMENT)
    webhooks.register(fails, event=AGREEMENT)
    agreements(sandbox, 1)
    webhooks.drain()
    late, raised = webhooks.attempts
    assert (late.status, late.error) == (None, "no answer in 30 s")
    assert late.latency == pytest.approx(31, abs=1)
    assert (raised.status, raised.error) == (500, "status 500, raised KeyError")
    assert raised.signature.startswith("***-")
    assert len(raised.signature) == 8


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b'{"message":"database is down"}', ': {"message":"database is down"}'),
        (b"<h1>Error</h1>\r\n\r\n  no\tdisk\x1b[2J", ": <h1>Error</h1> no disk\\x1b[2J"),
        (b'{"clientSecret":"hunter2-of-mine"}', ': {"clientSecret":"***-mine"}'),
        (b"x" * 100_000, f": {'x' * 200}..."),
        (b"", ""),
    ],
)
def test_the_history_keeps_what_a_failing_receiver_answered(
    sandbox: Sandbox, webhooks: TurrisWebhooks, answer: bytes, error: str
) -> None:
    """The error message of the endpoint (help centre): one short line, with secrets masked."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
        return [answer]

    webhooks.register(app, event=AGREEMENT)
    agreements(sandbox, 1)
    webhooks.drain()
    (attempt,) = webhooks.attempts
    assert attempt.error == f"status 500{error}"


def test_client_without_a_response_is_a_failed_attempt(
    sandbox: Sandbox, webhooks: TurrisWebhooks
) -> None:
    """An httpx error without a response is in the log, and not raised in the test."""
    with httpx.Client(base_url="http://127.0.0.1:1") as client:
        webhooks.register(client, event=AGREEMENT)
        agreements(sandbox, 1)
        assert webhooks.drain().failed == 1
    (attempt,) = webhooks.attempts
    assert (attempt.status, attempt.error.partition(":")[0]) == (None, "ConnectError")


def test_network_faults_are_seeded(webhooks: TurrisWebhooks) -> None:
    """The same seed drops, duplicates and reorders the same deliveries."""

    def run() -> list[bytes]:
        sandbox, receiver = Sandbox(name="disturbed"), RecordingReceiver()
        made = TurrisWebhooks.of(sandbox)
        made.register(receiver, event=AGREEMENT)
        made.disturb(seed=7, duplicate=0.3, drop=0.3, reorder=0.3, delay=dt.timedelta(seconds=5))
        agreements(sandbox, 30)
        made.drain()
        return receiver.bodies

    with freeze_time("2025-03-17"):  # on a slow machine deliveries would be due at other moments
        first = run()
        assert first == run()
    assert 10 < len(set(first)) < 30
    assert max(Counter(first).values()) == 2
    with pytest.raises(ValueError, match="probability"):
        webhooks.disturb(drop=2)


def test_snapshot_is_exact(
    sandbox: Sandbox, webhooks: TurrisWebhooks, receiver: RecordingReceiver
) -> None:
    """Deliveries, attempts and endpoints survive a snapshot as JSON."""
    receiver.answers = [500]
    webhooks.retry_after(60)
    webhooks.register(receiver, event=AGREEMENT)
    webhooks.register(receiver, event=STATUS)
    change(sandbox, "NOT_COMPLIANT")
    agreements(sandbox, 2)
    webhooks.deliver_due()
    kept = json.loads(json.dumps(sandbox.snapshot()))
    other = Sandbox(name="another")
    other.restore(kept)
    assert other.snapshot() == kept
    assert len(other.outbox) == len(sandbox.outbox) == 1


@freeze_time("2026-01-05")
def test_retry_overlaps_a_receiver_that_is_still_at_work(sandbox: Sandbox) -> None:
    """The second attempt begins five seconds after the limit of the first, before its answer."""
    webhooks = TurrisWebhooks.of(sandbox)
    began: list[dt.datetime] = []
    at_work: list[int] = [0]
    most: list[int] = []

    def slow(body: bytes, headers: object) -> bool:
        began.append(sandbox.clock.now())
        at_work[0] += 1
        most.append(at_work[0])
        sandbox.clock.advance(seconds=40)
        at_work[0] -= 1
        return True

    webhooks.register(slow, event=AGREEMENT)
    webhooks.retry_after(5)
    sandbox.execute_agreement(sandbox.associations.add())
    done = webhooks.drain()
    assert (done.attempts, done.failed, most) == (2, 1, [1, 2])
    assert began[1] - began[0] == dt.timedelta(seconds=35)
    assert [(one.status, one.error, one.latency) for one in webhooks.attempts] == [
        (None, "no answer in 30 s", 30.0)
    ] * 2


@freeze_time("2026-01-05")
def test_answer_after_exactly_the_limit_is_in_time(sandbox: Sandbox) -> None:
    """Only what takes longer than 30 seconds has failed."""
    webhooks = TurrisWebhooks.of(sandbox)

    def just_in_time(body: bytes, headers: object) -> bool:
        sandbox.clock.advance(seconds=30)
        return True

    webhooks.register(just_in_time, event=AGREEMENT)
    sandbox.execute_agreement(sandbox.associations.add())
    assert webhooks.drain().delivered == 1


def test_receiver_that_fails_after_its_limit_has_failed_once(sandbox: Sandbox) -> None:
    """What a receiver raises when its attempt is over changes nothing."""
    webhooks = TurrisWebhooks.of(sandbox)

    def fails_late(body: bytes, headers: object) -> bool:
        sandbox.clock.advance(seconds=31)
        raise ValueError

    webhooks.register(fails_late, event=AGREEMENT)
    sandbox.execute_agreement(sandbox.associations.add())
    assert webhooks.drain().failed == 1
    assert len(webhooks.attempts) == 1
