"""What attacks are given, for receivers that act on few events or cannot be controlled."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest
from doubles.attack_harness import context_for
from doubles.receivers.good_receiver import KEY, Backend, ReceiverApp

from pytest_turris.attacks.attack import Attack, AttackSteps
from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.description import redacted
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.attacks.step import AttackStep, refused
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.findings.verdict import Verdict
from pytest_turris.webhooks.signature import SignatureScheme

AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"
STATUS = "AGENT_COMPLIANCE_STATUS_CHANGE"


def verdict_on(id_: str, app_class: type[ReceiverApp] = ReceiverApp, **hooks: Any) -> Verdict:
    """The verdict on an application of this class."""
    backend = Backend()
    receiver = Receiver(app_class([KEY], backend), "/webhooks", effects=backend.effects)
    return run_attack(find_attack(id_), receiver, context_for(backend, app_class, **hooks))


def test_events_that_the_receiver_does_not_act_on() -> None:
    """They are not sent: the attack does not apply, and the reason names the event."""
    context = context_for(Backend(), ReceiverApp, events={AGREEMENT: {}})
    with pytest.raises(NotApplicableError, match=STATUS):
        context.event(STATUS)
    with pytest.raises(NotApplicableError, match="array"):
        context.status_event()


@pytest.mark.parametrize(
    ("form", "key", "written"),
    [("text", KEY, "abc"), ("base64", "d2hzZWM=", "YWJj"), ("hex", "77687365", "616263")],
)
def test_other_keys_are_written_as_the_own_one(
    form: Literal["text", "base64", "hex"], key: str, written: str
) -> None:
    """A receiver reads a key from its configuration as the scheme says."""
    context = context_for(Backend(), ReceiverApp, scheme=SignatureScheme(key_form=form), key=key)
    assert context.configured_key(b"abc") == written


def test_payload_that_is_an_array() -> None:
    """Hostile members are put into each entry."""
    assert verdict_on("WH-78", events={STATUS: {}}).outcome == "passed"


def test_replay_without_a_clock_to_move() -> None:
    """A receiver whose clock cannot be moved gets the replay at once."""
    assert verdict_on("WH-110", advance=None).outcome == "passed"


def test_receiver_that_refuses_to_start() -> None:
    """To refuse a key with a newline is to withstand the attack."""

    class Strict(ReceiverApp):
        """Starts only with a clean key."""

        def __init__(self, keys: Sequence[str], backend: Backend) -> None:
            if any(key != key.strip() for key in keys):
                raise ValueError("the key has white space around it")
            super().__init__(keys, backend)

    assert verdict_on("WH-47", Strict).outcome == "passed"


def attack_with(steps: AttackSteps) -> Attack:
    """An attack outside the catalogue."""
    return replace(find_attack("WH-02"), steps=steps)


def run_with_payload_signed(steps: AttackSteps) -> Verdict:
    """Run steps under a scheme that signs the payload alone."""
    backend, done = Backend(), []

    def verify(body: bytes, headers: object) -> bool:
        done.extend([body] if body.startswith(b"{") else [])
        return body.startswith(b"{")

    receiver = Receiver(verify, effects=lambda: len(done))
    scheme = SignatureScheme(signs="payload")
    return run_attack(
        attack_with(steps), receiver, context_for(backend, ReceiverApp, scheme=scheme)
    )


def test_scheme_that_cannot_sign_the_body() -> None:
    """A scheme that signs the payload cannot sign a body without one: skipped, with the reason."""

    def steps(context: AttackContext) -> Iterator[AttackStep]:
        yield refused(context.sign(b"no JSON"))

    verdict = run_with_payload_signed(steps)
    assert verdict.outcome == "skipped"
    assert verdict.reason.startswith("the scheme cannot sign such a body: ")


def test_body_without_a_right_signature() -> None:
    """A refusal of a body that no signature fits cannot show the right one."""

    def steps(context: AttackContext) -> Iterator[AttackStep]:
        yield refused(replace(context.genuine(), body=b"no JSON"))

    assert run_with_payload_signed(steps).outcome == "passed"


def test_answer_that_shows_secrets() -> None:
    """The key or the right signature in a refusal is found."""

    class Talks(ReceiverApp):
        """Says what would have been right."""

        def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
            status, _ = super().receive(lines, body)
            signature = SignatureScheme().sign(body, KEY, at=dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
            return status, f"expected {signature} by {KEY}".encode()

    found = {finding.got for finding in verdict_on("WH-02", Talks).findings}
    assert {"the key stands in the answer", "the right signature stands in the answer"} <= found


def test_blank_key_is_not_masked() -> None:
    """Without a key there is nothing to mask, and spaces stay as they are."""
    assert redacted("401 no such route", " ") == "401 no such route"
