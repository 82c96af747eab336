"""Endpoints, deliveries, events with changed members, attacks."""

import json
from collections.abc import Iterator

import pytest
from doubles.lenient_receiver import LenientReceiver
from doubles.visitor import Visitor

from mock_server.page.views.webhooks import changed_members, members_of

KIND = "PRODUCER_AGREEMENT_EXECUTED"


@pytest.fixture(scope="module")
def receiver() -> Iterator[LenientReceiver]:
    """A receiver on this machine."""
    found = LenientReceiver()
    yield found
    found.close()


@pytest.fixture
def key(visitor: Visitor, receiver: LenientReceiver) -> str:
    """The id of a registered webhook."""
    visitor.server.tenants.default.reset()
    receiver.received.clear()
    visitor.do("webhooks register", url=receiver.url, event=KIND)
    (endpoint,) = visitor.sandbox.outbox.endpoints
    return endpoint.id


def test_nothing_is_registered_yet(visitor: Visitor) -> None:
    """The page says what to do."""
    visitor.server.tenants.default.reset()
    text = visitor.get("webhooks").text
    assert "No receiver is registered" in text
    assert "None yet." in text


def test_deliveries_with_every_attempt(
    visitor: Visitor, key: str, receiver: LenientReceiver
) -> None:
    """Bytes, headers, signature, answer; and once more by hand."""
    visitor.post("do/webhooks/test", id=key)
    text = visitor.get("webhooks").text
    assert receiver.url in text
    assert "delivered" in text
    detail = visitor.get("webhooks/deliveries/1").text
    assert "x-turris-signature" in detail.lower()
    assert "204" in detail
    visitor.post("do/deliveries/resend", number="1")
    assert receiver.received[0] == receiver.received[1]
    assert "by hand" in visitor.get("webhooks/deliveries/1").text
    assert visitor.get("webhooks/deliveries/99").status == 404


def test_an_event_with_changed_members(
    visitor: Visitor, key: str, receiver: LenientReceiver
) -> None:
    """What is as in the example is left as it is."""
    form = visitor.get(f"webhooks/event/{KIND}?id={key}").text
    assert 'name="member.' in form
    (example,) = [
        one["example"]
        for one in json.loads(_control(visitor, "/webhooks/events"))["items"]
        if one["webhookType"] == KIND
    ]
    path, before = next(one for one in members_of(example) if one[0].endswith("branchName"))
    for to in (key, ""):
        seen = visitor.post(f"webhooks/event/{KIND}", id=to, **{f"member.{path}": "West <b>"})
        assert "204" in seen.text
    assert before.encode() not in receiver.received[0] or before in ("", "null")
    assert b"West <b>" in receiver.received[1]


def _control(visitor: Visitor, path: str) -> str:
    bearer = f"Bearer {visitor.server.control_token}"
    return visitor.send("GET", f"/__sandbox__{path}", Authorization=bearer, Cookie="a=b").text


def test_what_cannot_be_sent_is_said_in_the_form(visitor: Visitor, key: str) -> None:
    """With what was entered."""
    visitor.post("do/webhooks/remove", id=key)
    seen = visitor.post(f"webhooks/event/{KIND}", **{"member.webhookId": "mine"})
    assert "no webhook is registered" in seen.text
    assert visitor.get("webhooks/event/NOTHING").status == 404
    assert visitor.get(f"webhooks/{key}/attack").status == 404


def test_an_event_that_waits(visitor: Visitor, key: str) -> None:
    """On a bad network, nothing was sent yet."""
    visitor.do("webhooks disturb", drop="1")
    seen = visitor.post(f"webhooks/event/{KIND}", id=key)
    assert "was sent: " in seen.text


def test_members_keep_their_types() -> None:
    """A number stays one; text that is not JSON is refused."""
    example = {"a": {"b": 1, "c": "x"}, "d": [1]}
    assert changed_members(example, {"member.a.b": "2", "member.a.c": "1"}) == {
        "a": {"b": 2, "c": "1"}
    }
    assert changed_members(example, {"member.d": "[1]"}) == {}
    with pytest.raises(Exception, match="JSON is expected"):
        changed_members(example, {"member.d": "[1"})


def test_attack_goes_on_one_by_one(visitor: Visitor, key: str) -> None:
    """Each verdict comes with the form of the next attack; the last one ends the run."""
    page = visitor.get(f"webhooks/{key}/attack").text
    assert "WH-01" in page
    first = visitor.post(f"webhooks/{key}/attack", profile="quick").text
    assert f"/webhooks/{key}/attack/0" in first
    second = visitor.post(f"webhooks/{key}/attack/0", profile="quick").text
    assert 'class="verdict' in second
    assert f"/webhooks/{key}/attack/1" in second
    single = visitor.post(f"webhooks/{key}/attack/0", attack="WH-01").text
    assert "Done." in single
    accepted = visitor.post(f"webhooks/{key}/attack/0", attack="WH-02").text
    assert 'class="verdict failed"' in accepted
    assert "Expected" in accepted


def test_a_run_that_cannot_go_on_ends(visitor: Visitor, key: str) -> None:
    """It says why; there is no attack after the last."""
    seen = visitor.post(f"webhooks/{key}/attack/0", attack="WH-01", effectsUrl="ftp://x")
    assert "The run has ended" in seen.text
    assert visitor.post(f"webhooks/{key}/attack/9", attack="WH-01").status == 404


def test_a_removed_webhook_has_deliveries(visitor: Visitor, key: str) -> None:
    """They stay, and so does their page."""
    visitor.post("do/webhooks/test", id=key)
    visitor.post("do/webhooks/remove", id=key)
    assert "a removed webhook" in visitor.get("webhooks").text
