"""Attacks with a payload of the user's own, for receivers of other senders than Turris."""

import json
from itertools import count, pairwise

import pytest

from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.own_payload import OwnPayload, PayloadError
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.webhooks.factory import WebhookFactory

PUSH = b' {"ref":"refs/heads/main","id":"{{id}}","commits":[{"message":"caf\xc3\xa9"}]}\n'


def own(text: bytes) -> OwnPayload:
    """A payload with ids 0, 1, 2, ..."""
    numbers = count()
    return OwnPayload(text, lambda: str(next(numbers)))


def context() -> AttackContext:
    """A context that sends it as GitHub does."""
    sandbox = Sandbox(Options(signature_scheme="github"), name="own")
    return AttackContext(factory=WebhookFactory.of(sandbox), payload=own(PUSH))


def test_no_two_webhooks_are_the_same_bytes() -> None:
    """Even without a placeholder; to a parser all of them say the same."""
    payload = own(b'{"a":1}')
    bodies = [payload.next() for _ in range(100)]
    assert len(set(bodies)) == len(bodies)
    assert all(json.loads(body) == {"a": 1} for body in bodies)


def test_each_webhook_has_its_own_id() -> None:
    """The placeholder stands for it."""
    payload = own(PUSH)
    ids = [json.loads(payload.next())["id"] for _ in range(3)]
    assert all(earlier != later for earlier, later in pairwise(ids))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[]", "not a JSON object"),
        (b"7", "not a JSON object"),
        (b"", "not JSON in UTF-8"),
        (b"a=b", "not JSON in UTF-8"),
        (b'{"a":"\xff"}', "not JSON in UTF-8"),
        (b"[" * 100_000, "not JSON in UTF-8"),
    ],
)
def test_a_payload_is_a_json_object(text: bytes, reason: str) -> None:
    """Anything else is refused before anything is sent."""
    with pytest.raises(PayloadError, match=reason):
        own(text)


def test_genuine_webhooks_carry_the_payload() -> None:
    """They are signed in the scheme, with its other header lines."""
    webhook = context().genuine()
    assert webhook.json["ref"] == "refs/heads/main"
    assert webhook.headers["X-GitHub-Event"] == "ping"
    context().factory.verify(webhook.body, webhook.header_lines)


def test_what_needs_an_event_of_turris_does_not_apply() -> None:
    """However an attack asks for one."""
    made = context()
    for ask in (
        lambda: made.genuine(branchName="West"),
        lambda: made.event("PRODUCER_AGREEMENT_EXECUTED"),
        made.status_event,
        lambda: made.require_applicable("WH-71"),
    ):
        with pytest.raises(NotApplicableError, match="the payload is your own"):
            ask()
    made.require_applicable("WH-02")
