import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.webhooks.factory import EventValueError, WebhookFactory
from pytest_turris.webhooks.signature import SignatureError, SignatureScheme

Build = Callable[[SignatureScheme], WebhookFactory]

METHODS = [name.lower() for name in EVENTS]


def ids(node: object) -> list[str]:
    """Every id of a payload."""
    if isinstance(node, list):
        return [found for value in node for found in ids(value)]
    if isinstance(node, dict):
        inner = [found for value in node.values() for found in ids(value)]
        return [value for name, value in node.items() if name.endswith("Id")] + inner
    return []


def test_attributes_and_repr(webhooks: WebhookFactory) -> None:
    """A factory shows its scheme, key and entity, and prints no more of the key than its end."""
    assert webhooks.scheme == SignatureScheme()
    assert webhooks.key == "turris_sandbox_whsec_0123456789abcdef"
    assert webhooks.upstream_entity_id == "507f1f77bcf86cd799439010"
    assert webhooks.key[:-4] not in repr(webhooks)
    assert "***-cdef" in repr(webhooks)


@pytest.mark.parametrize("method", METHODS)
def test_every_event_is_documented_and_signed(webhooks: WebhookFactory, method: str) -> None:
    """Each method makes a valid, compact, signed event of its type."""
    webhook = getattr(webhooks, method)()
    assert webhook.event_type == method.upper()
    assert webhook.json["upstreamEntityId"] == webhooks.upstream_entity_id
    EVENTS[method.upper()].model_validate(webhook.json)
    written = json.dumps(webhook.json, separators=(",", ":"), ensure_ascii=False)
    assert webhook.body == written.encode()
    webhooks.verify(webhook.body, webhook.headers)


@pytest.mark.parametrize("method", METHODS)
def test_ids_are_fresh(webhooks: WebhookFactory, method: str) -> None:
    """No two ids are the same, in one event or in two."""
    payloads = [getattr(webhooks, method)().json["payload"] for _ in range(2)]
    assert ids(payloads)
    assert len(set(ids(payloads))) == len(ids(payloads))


def test_entries_have_fresh_ids(webhooks: WebhookFactory) -> None:
    """Several entries of one event are several entities."""
    payload = webhooks.agent_compliance_status_change(payload=[{}, {}]).json["payload"]
    assert len(set(ids(payload))) == 4


@pytest.mark.parametrize("name", ["branchName", "branch_name"])
def test_members_of_an_object(webhooks: WebhookFactory, name: str) -> None:
    """A member of the payload is given by its name in either spelling."""
    webhook = webhooks.producer_agreement_executed(**{name: "Wést"})
    assert webhook.json["payload"]["branchName"] == "Wést"
    assert "Wést".encode() in webhook.body


def test_members_of_an_array(webhooks: WebhookFactory) -> None:
    """Members of an array event are those of its single entry, merged at any depth."""
    webhook = webhooks.agent_compliance_status_change(
        npn="7654321",
        products=[
            {"states": [{"complianceStatus": "NOT_COMPLIANT"}, {"state_code": "TX"}]},
            {"productName": None, "states": [{"licenseStatus": {"statusMessages": ["Late"]}}]},
        ],
    )
    (entry,) = webhook.json["payload"]
    assert entry["npn"] == "7654321"
    assert entry["legalName"] == "Acme Insurance Agency"
    first, second = entry["products"]
    assert first["productName"] == "Property & Casualty (Español)"
    assert [(state["stateCode"], state["complianceStatus"]) for state in first["states"]] == [
        ("CA", "NOT_COMPLIANT"),
        ("TX", "COMPLIANT"),
    ]
    assert "productName" not in second
    assert second["states"][0]["licenseStatus"] == {
        "statusName": "Licensed",
        "statusMessages": ["Late"],
    }


def test_payloads(webhooks: WebhookFactory) -> None:
    """A payload is merged entry by entry, or member by member."""
    change = webhooks.downstream_entity_compliance_status_change(
        payload=({"npn": "1"}, {"npn": "2", "products": []})
    )
    assert [entry["npn"] for entry in change.json["payload"]] == ["1", "2"]
    assert [len(entry["products"]) for entry in change.json["payload"]] == [1, 0]
    synchronized = webhooks.entity_compliance_data_synchronized(payload={"npn": "3"})
    assert synchronized.json["payload"]["npn"] == "3"
    assert synchronized.json["payload"]["synchronizationStatus"] == "success"
    assert webhooks.agent_compliance_status_change(payload=[]).json["payload"] == []


def test_envelope(webhooks: WebhookFactory) -> None:
    """The envelope's entity can be another's, beside members of the payload."""
    webhook = webhooks.event(
        "PRODUCER_AGREEMENT_EXECUTED", upstreamEntityId="f" * 24, producerCode=None
    )
    assert webhook.json["upstreamEntityId"] == "f" * 24
    assert webhook.json["payload"]["producerCode"] is None


@pytest.mark.parametrize(
    ("method", "overrides", "message"),
    [
        ("producer_agreement_executed", {"brancName": "W"}, "did you mean 'branchName'"),
        ("producer_agreement_executed", {"branch_nam": "W"}, "did you mean 'branchName'"),
        ("producer_agreement_executed", {"upstreamEntity": "W"}, "did you mean 'upstreamEntityId'"),
        ("producer_agreement_executed", {"zzz": 1}, "it has downstreamEntityAssociationId, "),
        ("producer_agreement_executed", {"webhookType": "X"}, "no member 'webhookType'"),
        (
            "agent_compliance_status_change",
            {"products": [{}, {"states": [{"compliance": "X"}]}]},
            r"payload\[0\]\.products\[1\]\.states\[0\] has no member 'compliance'",
        ),
        ("agent_compliance_status_change", {"payload": [{"np": 1}]}, "did you mean 'npn'"),
        (
            "producer_agreement_executed",
            {"branchName": "W", "branch_name": "E"},
            "'branchName' is given twice",
        ),
        (
            "producer_agreement_executed",
            {"payload": {}, "branchName": "W"},
            r"pass payload= or its members \(branchName\)",
        ),
    ],
)
def test_misspelt_members(
    webhooks: WebhookFactory, method: str, overrides: dict[str, Any], message: str
) -> None:
    """A member that the event does not have is a TypeError that names the nearest."""
    with pytest.raises(TypeError, match=message):
        getattr(webhooks, method)(**overrides)


@pytest.mark.parametrize(
    ("method", "overrides", "message"),
    [
        (
            "producer_agreement_executed",
            {"branchName": 5},
            r"PRODUCER_AGREEMENT_EXECUTED\.payload\.branchName: .*valid string \(given: int\)",
        ),
        ("producer_agreement_executed", {"downstreamEntityId": "x"}, "must be a mongodb id"),
        ("producer_agreement_executed", {"payload": None}, r"\(given: NoneType\)"),
        ("entity_compliance_data_synchronized", {"entityType": "X"}, "'Agent', 'Downstream"),
        ("agent_compliance_status_change", {"payload": {}}, "valid list"),
        (
            "agent_compliance_status_change",
            {"products": [{"states": ["CA"]}]},
            r"payload\[0\]\.products\[0\]\.states\[0\]",
        ),
    ],
)
def test_wrong_types(
    webhooks: WebhookFactory, method: str, overrides: dict[str, Any], message: str
) -> None:
    """A value of the wrong type is a ValueError with its path, and without pydantic's links."""
    with pytest.raises(ValueError, match=message) as refused:
        getattr(webhooks, method)(**overrides)
    assert "pydantic" not in str(refused.value)
    assert refused.type is EventValueError


def test_unknown_events(webhooks: WebhookFactory) -> None:
    """An event that is not documented is a ValueError that names the nearest, or all."""
    with pytest.raises(ValueError, match=r"mean PRODUCER_AGREEMENT_EXECUTED\?"):
        webhooks.event("PRODUCER_AGREEMENT_SIGNED")
    with pytest.raises(ValueError, match="AGENT_COMPLIANCE_STATUS_CHANGE or "):
        webhooks.event("zzz")


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b'{ "a":1}\n', b'{ "a":1}\n'),
        ("é", "é".encode()),
        ({"a": [1, "é"]}, '{"a":[1,"é"]}'.encode()),
        (b"\xff", b"\xff"),
        (b"", b""),
    ],
)
def test_hand_made_bodies(
    webhooks: WebhookFactory, body: bytes | str | dict[str, Any], sent: bytes
) -> None:
    """A hand-made body is signed as it is given."""
    webhook = webhooks.sign(body)
    assert webhook.body == sent
    webhooks.verify(webhook.body, webhook.headers)


@given(body=st.binary())
def test_any_body_is_signed(webhooks_with: Build, body: bytes) -> None:
    """Any bytes make a webhook that verifies."""
    webhooks = webhooks_with(SignatureScheme(timestamped=True, header="X-Other"))
    webhook = webhooks.sign(body)
    assert webhook.signed_at == dt.datetime(2025, 3, 17, 10, 15, 45, tzinfo=dt.UTC)
    webhooks.verify(webhook.body, webhook.headers)


def test_payload_scheme_needs_a_payload(webhooks_with: Build) -> None:
    """A scheme that signs the payload cannot sign a body without one."""
    with pytest.raises(SignatureError, match="payload"):
        webhooks_with(SignatureScheme(signs="payload")).sign(b"{}")


def test_verify_refuses(webhooks: WebhookFactory) -> None:
    """The factory verifies with its own scheme, key and clock."""
    with pytest.raises(SignatureError, match="missing"):
        webhooks.verify(b"{}", {})


@pytest.mark.parametrize(
    "name", [name for name in EVENTS if name != "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED"]
)
def test_default_events_are_not_ascii_alone(webhooks: WebhookFactory, name: str) -> None:
    """A receiver that encodes as ASCII, or writes JSON anew with escapes, fails an ordinary event.

    The one other event has no member for a name.
    """
    body = webhooks.event(name).body
    assert not body.isascii()
    assert json.dumps(json.loads(body), separators=(",", ":")).encode() != body
