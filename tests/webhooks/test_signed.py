import dataclasses
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signature import SignatureError, SignatureScheme
from pytest_turris.webhooks.signed import SignedWebhook

Build = Callable[[SignatureScheme], WebhookFactory]


def reason(webhooks: WebhookFactory, webhook: SignedWebhook) -> str:
    """Why the reference verifier refuses a webhook."""
    with pytest.raises(SignatureError) as refused:
        webhooks.verify(webhook.body, webhook.header_lines)
    return refused.value.reason


def test_reads(webhooks: WebhookFactory) -> None:
    """A webhook shows its body, its headers, its parsed JSON and its type."""
    webhook = webhooks.sign(b'{ "webhookType" : "X" }\n')
    assert webhook.body == b'{ "webhookType" : "X" }\n'
    assert webhook.json == {"webhookType": "X"}
    assert webhook.event_type == "X"
    assert list(webhook.headers) == ["Content-Type", "X-Turris-Signature"]
    assert webhook.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"null", b"{}", b'{"webhookType":1}', b"[" * 99_999]
)
def test_bodies_without_a_type(webhooks: WebhookFactory, body: bytes) -> None:
    """A body that names no event has no event type, whatever else it is."""
    webhook = webhooks.sign(body)
    assert webhook.event_type is None
    assert "None" in repr(webhook)


def test_repr_is_redacted(webhooks: WebhookFactory) -> None:
    """A webhook prints its type, its size and four characters of its signature."""
    webhook = webhooks.producer_agreement_executed()
    signature = webhook.headers["X-Turris-Signature"]
    assert repr(webhook) == (
        f"SignedWebhook(PRODUCER_AGREEMENT_EXECUTED, {len(webhook.body)} bytes, "
        f"X-Turris-Signature: ***-{signature[-4:]})"
    )
    assert repr(webhook.unsigned()).endswith("X-Turris-Signature: none)")


def test_is_a_value(webhooks: WebhookFactory) -> None:
    """A webhook cannot change, and equals and hashes as its contents."""
    webhook = webhooks.sign(b"{}")
    with pytest.raises(dataclasses.FrozenInstanceError):
        webhook.body = b""  # type: ignore[misc]  # the point of the test
    assert {webhook, webhook.replayed()} == {webhook}


def test_request(webhooks: WebhookFactory) -> None:
    """The request for a client of one's own holds the bytes and the headers unchanged."""
    webhook = webhooks.sign('{"a": "é"}')
    request = webhook.request("http://127.0.0.1:1/webhooks")
    assert request.method == "POST"
    assert request.content == webhook.body
    webhooks.verify(request.content, request.headers)


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("signs", ["body", "payload"])
def test_tampered(webhooks_with: Build, name: str, signs: str) -> None:
    """A tampered event is valid in every respect but its signature, whatever part is signed."""
    webhooks = webhooks_with(SignatureScheme(signs=signs))  # type: ignore[arg-type]  # parametrised
    webhook = webhooks.event(name)
    tampered = webhook.tampered()
    EVENTS[name].model_validate(tampered.json)
    assert tampered.header_lines == webhook.header_lines
    assert sum(a != b for a, b in zip(tampered.body, webhook.body, strict=True)) == 1
    assert "wrong" in reason(webhooks, tampered)


scalars = st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"))


@given(value=st.recursive(scalars, lambda inner: st.lists(inner, min_size=1), max_leaves=5))
def test_tampered_changes_any_value(webhooks_with: Build, value: object) -> None:
    """Any body with a value in it can be tampered with, and stays JSON of the same types."""
    webhooks = webhooks_with(SignatureScheme())
    for body in (value, {"payload": value}):
        webhook = webhooks.sign(json.dumps(body))
        tampered = webhook.tampered()
        assert type(tampered.json) is type(body)
        assert tampered.json != body
        assert "wrong" in reason(webhooks, tampered)


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[]", b"null", b'{"payload":[null]}'])
def test_tampered_needs_a_value(webhooks: WebhookFactory, body: bytes) -> None:
    """A body with nothing to change says so, and is not passed off as tampered."""
    with pytest.raises(ValueError, match=r"Expecting|no value"):
        webhooks.sign(body).tampered()


def test_tampered_members(webhooks: WebhookFactory) -> None:
    """Named members change in the payload, in each entry, or in the envelope."""
    agreement = webhooks.producer_agreement_executed().tampered(branch_name="West")
    assert agreement.json["payload"]["branchName"] == "West"
    change = webhooks.agent_compliance_status_change(payload=[{}, {}]).tampered(npn="7")
    assert [entry["npn"] for entry in change.json["payload"]] == ["7", "7"]
    moved = webhooks.producer_agreement_executed().tampered(upstreamEntityId="0" * 24)
    assert moved.json["upstreamEntityId"] == "0" * 24
    for webhook in (agreement, change, moved):
        assert "wrong" in reason(webhooks, webhook)


def test_tampered_with_the_same_value(webhooks: WebhookFactory) -> None:
    """A change that changes nothing is refused: the signature would hold."""
    with pytest.raises(ValueError, match="already"):
        webhooks.producer_agreement_executed().tampered(branchName="Main Branch")


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"payload":[]}', b'{"payload":1}'])
def test_tampered_members_need_a_payload(webhooks: WebhookFactory, body: bytes) -> None:
    """Members can only be named where there is a payload that has some."""
    with pytest.raises(ValueError, match="no payload"):
        webhooks.sign(body).tampered(npn="7")


def test_unsigned(webhooks: WebhookFactory) -> None:
    """An unsigned webhook has every header but the signature."""
    webhook = webhooks.sign(b"{}").unsigned()
    assert webhook.headers == {"Content-Type": "application/json"}
    assert "missing" in reason(webhooks, webhook)


@pytest.mark.parametrize("key", ["another key", "", "turris_sandbox_whsec_0123456789abcdef\n"])
def test_signed_with(webhooks: WebhookFactory, key: str) -> None:
    """A webhook can be signed with any key, which the right one does not verify."""
    webhook = webhooks.sign(b"{}").signed_with(key)
    assert len(webhook.header_lines) == 2
    assert "wrong" in reason(webhooks, webhook)
    assert webhook.signed_with(webhooks.key) == webhooks.sign(b"{}")


@pytest.mark.parametrize(
    ("scheme", "rest"),
    [
        (SignatureScheme(), ""),
        (SignatureScheme(prefix="sha256="), "sha256="),
        (SignatureScheme(encoding="base64"), ""),
        (SignatureScheme(timestamped=True), "t=1742206545,v1="),
    ],
    ids=str,
)
@pytest.mark.parametrize("length", [0, 1, 10, 43])
def test_truncated_signature(
    webhooks_with: Build, scheme: SignatureScheme, rest: str, length: int
) -> None:
    """A truncated signature keeps its prefix and is refused at every length."""
    webhooks = webhooks_with(scheme)
    webhook = webhooks.sign(b"{}")
    cut = webhook.truncated_signature(length)
    value = cut.headers[scheme.header]
    assert value.startswith(rest)
    assert len(value) == len(rest) + length
    assert webhook.headers[scheme.header].startswith(value)
    assert reason(webhooks, cut)


def test_truncated_signature_limits(webhooks: WebhookFactory) -> None:
    """A whole signature is not truncated, and there must be one."""
    webhook = webhooks.sign(b"{}")
    for length in (-1, 64):
        with pytest.raises(ValueError, match="cannot cut"):
            webhook.truncated_signature(length=length)
    with pytest.raises(ValueError, match="cannot cut"):
        webhook.unsigned().truncated_signature()


def test_replayed(webhooks: WebhookFactory) -> None:
    """A replayed webhook is the same and verifies: only its receiver can know it."""
    webhook = webhooks.producer_agreement_executed()
    assert webhook.replayed() == webhook
    webhooks.verify(webhook.replayed().body, webhook.replayed().headers)
