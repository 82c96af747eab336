"""The rows of webhooks, deliveries and attacks, with a receiver on loopback."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from doubles.controlled import Controlled, Refused
from doubles.served_sandbox import Receiver, receiving

from mock_server.control.control import ControlCall
from mock_server.control.execution import execute
from mock_server.control.table import CONTROLS
from mock_server.control.wire.errors import ControlError

EVENT = "PRODUCER_AGREEMENT_EXECUTED"


@pytest.fixture
def controlled() -> Controlled:
    """A server with an empty sandbox."""
    return Controlled()


@pytest.fixture
def receiver() -> Iterator[tuple[str, type[Receiver]]]:
    """A receiver that accepts everything: its URL and what it has received."""
    with receiving() as found:
        yield found


def do(controlled: Controlled, name: str, **members: Any) -> Any:
    """Execute a row that sends, in this thread."""
    call = ControlCall(tenant=controlled.tenants.default, tenants=controlled.tenants)
    return json.loads(execute(CONTROLS[name], call, members).model_dump_json(by_alias=True))


def test_an_event_is_sent_to_what_is_registered(
    controlled: Controlled, receiver: tuple[str, type[Receiver]]
) -> None:
    """With members changed; the answer has what came of it, and the delivery its bytes."""
    url, handler = receiver
    webhook = controlled.call("POST", "/webhooks", url=url, event=EVENT)
    assert webhook["secret"] == str(controlled.sandbox.webhook_secret)
    assert controlled.get("/webhooks")["items"][0]["secret"].startswith("***-")
    (sent,) = do(controlled, "webhooks send", event=EVENT, members={"branchName": "West"})["items"]
    assert (sent["state"], sent["attempts"][0]["status"]) == ("delivered", 204)
    assert json.loads(handler.received[0][0])["payload"]["branchName"] == "West"
    detail = controlled.get(f"/deliveries/{sent['number']}")
    assert detail["body"].encode() == handler.received[0][0]
    again = do(controlled, "deliveries resend", number=sent["number"])
    assert (again["attempt"], again["status"]) == (0, 204)
    assert do(controlled, "webhooks test", id=webhook["id"])["state"] == "delivered"
    assert len(handler.received) == 3
    shown = controlled.get("/deliveries", f"webhookId={webhook['id']}&state=delivered")
    assert shown["total"] == 2
    assert controlled.send("DELETE", f"/webhooks/{webhook['id']}").status == 204
    assert controlled.get("/webhooks")["total"] == 0


def test_a_refused_signature_names_the_key_that_made_it(
    controlled: Controlled, receiver: tuple[str, type[Receiver]]
) -> None:
    """One that a client registers has a secret of its own; one that a control adds has not."""
    url, handler = receiver
    handler.status = 401
    sandbox = controlled.sandbox
    own = sandbox.outbox.register(url, EVENT, sandbox.clock.now())
    common = controlled.call("POST", "/webhooks", url=f"{url}/2", event=EVENT)
    sent = do(controlled, "webhooks send", event=EVENT)["items"]
    hints = {
        one["webhookId"]: "this webhook's own secret" in one["attempts"][0]["error"] for one in sent
    }
    assert hints == {own.id: True, common["id"]: False}
    number = next(one["number"] for one in sent if one["webhookId"] == own.id)
    assert "own secret" in do(controlled, "deliveries resend", number=number)["error"]
    assert "own secret" in controlled.get(f"/deliveries/{number}")["attempts"][0]["error"]


def test_what_happened_is_delivered(
    controlled: Controlled, receiver: tuple[str, type[Receiver]]
) -> None:
    """``deliver`` sends what is due, ``drain`` lets time pass for the rest."""
    url, handler = receiver
    for event in (EVENT, "AGENT_COMPLIANCE_STATUS_CHANGE"):
        controlled.call("POST", "/webhooks", url=url, event=event)
    controlled.call("POST", "/sandbox/seed", name="small_agency")
    association = controlled.get("/associations")["items"][0]["_id"]
    controlled.call("POST", f"/associations/{association}/execute-agreement")
    assert do(controlled, "webhooks deliver")["delivered"] == 1
    license_id = controlled.get("/licenses")["items"][-1]["id"]
    controlled.call("PATCH", f"/licenses/{license_id}", status="inactive")
    assert do(controlled, "webhooks deliver")["attempts"] == 0
    drained = do(controlled, "webhooks drain")
    assert (drained["delivered"], 59 < drained["took"] < 61) == (1, True)
    assert len(handler.received) == 2


def test_a_bad_network_and_retries(
    controlled: Controlled, receiver: tuple[str, type[Receiver]]
) -> None:
    """Deliveries are dropped or retried as a test asks for, and a disabled webhook is enabled."""
    url, handler = receiver
    webhook = controlled.call("POST", "/webhooks", url=url, event=EVENT)
    assert controlled.call("POST", "/webhooks/disturb", drop=1)["drop"] == 1
    (sent,) = do(controlled, "webhooks send", event=EVENT)["items"]
    assert (sent["state"], sent["attempts"]) == ("dropped", [])
    controlled.call("POST", "/webhooks/disturb")
    assert controlled.call("POST", "/webhooks/retries", waits=["5s", 60])["waits"] == [5, 60]
    handler.status = 500
    (sent,) = do(controlled, "webhooks send", event=EVENT, id=webhook["id"])["items"]
    assert sent["state"] == "pending"
    drained = do(controlled, "webhooks drain")
    assert (drained["attempts"], drained["failed"]) == (2, 1)
    assert controlled.call("POST", f"/webhooks/{webhook['id']}/enable")["failures"] == 0


def test_an_attack_is_fired_at_what_is_registered(
    controlled: Controlled, receiver: tuple[str, type[Receiver]]
) -> None:
    """A receiver that does not verify fails; without a look at its effects nothing is passed.

    As on the command line, what was answered as it should be has a word of its own. The verdict is
    evidence of the audit, as far as the effects were seen.
    """
    url, handler = receiver
    webhook = controlled.call("POST", "/webhooks", url=url, event=EVENT)
    verdict = do(controlled, "webhooks attack", id=webhook["id"], attack="WH-02")
    assert verdict["outcome"] == "failed"
    assert verdict["findings"][0]["fix"]
    assert len(handler.received) > 1
    genuine = do(controlled, "webhooks attack", id=webhook["id"], attack="WH-01")
    assert genuine["outcome"] == "as wanted"
    quick, full = (controlled.get("/attacks", f"profile={name}") for name in ("quick", "full"))
    assert 0 < quick["total"] < full["total"]
    ran = do(controlled, "audit evidence")["evidence"]["ran"]
    assert ran.get("WH-02") == 1
    assert "WH-01" not in ran


def test_the_events_are_listed_with_examples(controlled: Controlled) -> None:
    """For a form, and for who asks which members there are."""
    events = controlled.get("/webhooks/events")
    assert events["total"] == 4
    assert all(event["example"]["payload"] for event in events["items"])


@pytest.mark.parametrize(
    ("name", "members", "status"),
    [
        ("webhooks register", {"url": "http://example.com/", "event": EVENT}, 403),
        ("webhooks register", {"url": "nonsense", "event": EVENT}, 403),
        ("webhooks register", {"url": "http://127.0.0.1:1/", "event": "X"}, 400),
        ("webhooks send", {"event": EVENT}, 404),
        ("webhooks test", {"id": "unknown"}, 404),
        ("webhooks attack", {"id": "unknown", "attack": "WH-02"}, 404),
        ("webhooks attack", {"id": "unknown", "attack": "WH-0"}, 400),
        ("deliveries resend", {"number": 7}, 404),
    ],
)
def test_what_cannot_be_sent_is_refused(
    controlled: Controlled, name: str, members: dict[str, object], status: int
) -> None:
    """Nothing is sent to other machines, to nobody, or as what there is not."""
    before = controlled.sandbox.snapshot()
    with pytest.raises(ControlError) as refused:
        do(controlled, name, **members)
    assert refused.value.status == status
    assert controlled.sandbox.snapshot() == before


def test_a_member_that_does_not_exist_is_refused(controlled: Controlled) -> None:
    """The event is checked before anything is enqueued."""
    controlled.call("POST", "/webhooks", url="http://127.0.0.1:1/", event=EVENT)
    before = controlled.sandbox.snapshot()
    for members in ({"branchNam": "West"}, {"branchName": 7}):
        with pytest.raises(ControlError) as refused:
            do(controlled, "webhooks send", event=EVENT, members=members)
        assert refused.value.status == 400
    assert controlled.sandbox.snapshot() == before


def test_a_refusal_has_the_shape_of_all(controlled: Controlled) -> None:
    """Over HTTP too."""
    with pytest.raises(Refused, match="403"):
        controlled.call("POST", "/webhooks", url="http://example.com/", event=EVENT)
