"""``turris-sandbox serve`` sends the webhooks that are registered over HTTP, in real time."""

import datetime as dt
import json
import signal
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme
from doubles.served_here import KeptLog
from doubles.served_sandbox import Receiver, Running, receiving, serving
from doubles.waiting import eventually

from mock_server.control.control import ControlCall
from mock_server.control.execution import execute
from mock_server.control.table import CONTROLS
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.webhooks.engine import Engine
from pytest_turris.webhooks.sender import Sender
from pytest_turris.webhooks.signature import SignatureError, SignatureScheme

AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"
SYNCHRONIZED = "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED"
STATUS = "AGENT_COMPLIANCE_STATUS_CHANGE"
DEADLINE = 30


class Registered:
    """A webhook that was registered over HTTP."""

    def __init__(self, running: Running, url: str, kind: str) -> None:
        self.running = running
        self.bearer = f"Bearer {running.token()}"
        self.made = self.post("/v1/webhooks", {"url": url, "webhookType": kind})

    def post(self, path: str, document: object = None) -> Any:
        """Send a POST and return the data of the response."""
        body = json.dumps(document or {}).encode()
        answer = self.running.call(path, data=body, Authorization=self.bearer)
        return answer and answer["data"]

    def deliveries(self) -> Any:
        """Return the deliveries, as the API lists them."""
        path = f"/v1/webhooks/{self.made['_id']}/deliveries"
        return self.running.call(path, Authorization=self.bearer)["data"]

    def test(self) -> None:
        """Request a test webhook."""
        self.post(f"/v1/webhooks/{self.made['_id']}/test")

    def settled(self) -> Any:
        """Return the deliveries, once none is pending."""
        return eventually(
            lambda: (rows := self.deliveries()) and all(map(is_settled, rows)) and rows
        )


def is_settled(row: Any) -> bool:
    """Return whether a delivery has succeeded or failed."""
    return bool(row["state"] != "pending")


def test_a_change_over_http_reaches_a_receiver() -> None:
    """The webhook about a new agent is signed with the secret that was shown, and logged."""
    at_once = ("-o", "first_sync=done")  # by default, the first fetch from NIPR takes its time
    with receiving() as (url, handler), serving(*at_once) as running:
        webhook = Registered(running, f"{url}?token=turris_sandbox_token_of_mine", SYNCHRONIZED)
        webhook.post("/v1/agents", {"npn": "12345678"})
        (row,) = webhook.settled()
        running.process.send_signal(signal.SIGINT)
        log = running.process.communicate(timeout=60)[1]
    assert (row["state"], row["attempts"][0]["status"]) == ("delivered", 204)
    ((body, signature),) = handler.received
    assert json.loads(body)["payload"]["npn"] == "12345678"
    headers = {"X-Turris-Signature": signature}
    SignatureScheme().verify(body, headers, webhook.made["secret"])
    with pytest.raises(SignatureError):
        SignatureScheme().verify(body, headers, running.variables["TURRIS_CLIENT_SECRET"])
    assert f"webhook 1 {SYNCHRONIZED} -> {url}?token=***-mine: 204" in log
    assert "of_mine" not in log


def test_tests_and_resends_are_sent_at_once() -> None:
    """A test and a resend are sent without a drain; a resend has the same bytes."""
    with receiving() as (url, handler), serving() as running:
        webhook = Registered(running, url, AGREEMENT)
        webhook.test()
        (row,) = webhook.settled()
        webhook.post(f"/v1/webhooks/{webhook.made['_id']}/deliveries/{row['_id']}/resend")
        assert eventually(lambda: len(handler.received) == 2)
    assert handler.received[0] == handler.received[1]


def test_receiver_that_speaks_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhooks are sent over TLS only if ``SSL_CERT_FILE`` has the receiver's authority."""
    authority, file = trustme.CA(), tmp_path / "receivers.pem"
    authority.cert_pem.write_to_path(file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with receiving(context) as (url, handler):
        with serving() as running:
            webhook = Registered(running, url, AGREEMENT)
            webhook.test()
            (row,) = webhook.settled()
        assert "CERTIFICATE_VERIFY_FAILED" in row["attempts"][0]["error"]
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with serving() as running:
            webhook = Registered(running, url, AGREEMENT)
            webhook.test()
            assert webhook.settled()[0]["state"] == "delivered"
    assert len(handler.received) == 1


def test_nothing_is_sent_elsewhere_or_to_itself() -> None:
    """A foreign address needs ``--allow``; nothing is sent to the sandbox's own port."""
    with serving("--allow", "127.0.0.1:1") as running:
        own = running.variables["TURRIS_BASE_URL"] + "/v1/agents"
        rows = []
        for url in ("https://192.0.2.1/hooks", own):
            webhook = Registered(running, url, AGREEMENT)
            webhook.test()
            rows += webhook.settled()
    elsewhere, itself = (row["attempts"][0] for row in rows)
    assert "192.0.2.1 is not this machine" in elsewhere["error"]
    assert "that is the sandbox itself" in itself["error"]
    assert "status" not in elsewhere
    assert "status" not in itself


@pytest.fixture
def lines() -> list[str]:
    """The log of a standalone sandbox."""
    return []


def standalone(lines: list[str], **options: Any) -> StandaloneSandbox:
    """Return a standalone sandbox in this process."""
    return StandaloneSandbox(Sandbox(Options(**options)), ServerSettings(), KeptLog(lines))


def licensed(served: StandaloneSandbox) -> None:
    """Add an agent and a license, which changes the agent's status."""
    sandbox = served.sandbox
    sandbox.products.add(states=("CA",))
    place = sandbox.associations.add(is_npn_required=False).id
    sandbox.agents.add(npn="12345678", downstream_entity_association_id=place)
    expires = sandbox.clock.now() + dt.timedelta(days=10)
    sandbox.licenses.add(npn="12345678", state_code="CA", expiration_date=expires)


def received_types(handler: type[Receiver]) -> list[str]:
    """Return the types of the received webhooks."""
    return [json.loads(body)["webhookType"] for body, _ in handler.received]


def test_status_events_wait_for_their_minute(lines: list[str]) -> None:
    """A status event waits for a minute; other events are sent at once."""
    with receiving() as (url, handler), standalone(lines) as served:
        sandbox = served.sandbox
        for kind in (STATUS, AGREEMENT):
            sandbox.outbox.register(url, kind, sandbox.clock.now())
        licensed(served)
        sandbox.execute_agreement(sandbox.associations.add())
        assert eventually(lambda: received_types(handler)) == [AGREEMENT]
        sandbox.clock.advance(minutes=1)
        assert eventually(lambda: received_types(handler) == [AGREEMENT, STATUS])


def test_status_events_need_not_wait(lines: list[str]) -> None:
    """With ``webhook_debounce=0`` status events are sent at once."""
    with (
        receiving() as (url, handler),
        standalone(lines, webhook_debounce=dt.timedelta(0)) as served,
    ):
        served.sandbox.outbox.register(url, STATUS, served.sandbox.clock.now())
        licensed(served)
        assert eventually(lambda: STATUS in received_types(handler))


def test_retries_follow_the_clock(lines: list[str]) -> None:
    """The log says when the next attempt is, and it is made at that time."""
    with receiving() as (url, handler), standalone(lines, webhook_retries="standard") as served:
        handler.status = 503
        sandbox = served.sandbox
        endpoint = sandbox.outbox.register(url, AGREEMENT, sandbox.clock.now())
        sandbox.outbox.request_test(endpoint, sandbox.clock.now())
        assert eventually(lambda: lines)
        handler.status = 204
        sandbox.clock.advance(seconds=5)
        assert eventually(lambda: len(lines) == 2)
    assert lines[0].startswith(f"webhook 1 {AGREEMENT} -> {url}: status 503; again at ")
    assert lines[1] == f"webhook 1 {AGREEMENT} -> {url}: 204"


def test_sandbox_answers_while_a_receiver_is_slow(lines: list[str]) -> None:
    """During an attempt the delivery is pending, and the sandbox is not locked."""
    asked, may_answer = threading.Event(), threading.Event()

    def work() -> None:
        asked.set()
        may_answer.wait(DEADLINE)

    with receiving() as (url, handler), standalone(lines) as served:
        handler.work = staticmethod(work)  # type: ignore[method-assign]  # of the subclass for this test
        sandbox = served.sandbox
        endpoint = sandbox.outbox.register(url, AGREEMENT, sandbox.clock.now())
        sandbox.outbox.request_test(endpoint, sandbox.clock.now())
        assert asked.wait(DEADLINE)
        with sandbox.lock:
            assert [delivery.state for delivery in sandbox.outbox] == ["pending"]
        may_answer.set()
        assert eventually(lambda: [one.state for one in sandbox.outbox] == ["delivered"])


def test_slow_receiver_does_not_delay_others(lines: list[str]) -> None:
    """Another receiver gets its webhook meanwhile; the slow one gets its own in order."""
    asked, may_answer = threading.Event(), threading.Event()

    def work() -> None:
        asked.set()
        may_answer.wait(DEADLINE)

    with (
        receiving() as (slow_url, slow),
        receiving() as (url, handler),
        standalone(lines) as served,
    ):
        slow.work = staticmethod(work)  # type: ignore[method-assign]  # of the subclass for this test
        sandbox = served.sandbox
        for one in (slow_url, slow_url, url):
            sandbox.outbox.register(one, AGREEMENT, sandbox.clock.now())
        first, *_, other = sandbox.outbox.endpoints
        for endpoint in (first, first, other):
            with sandbox.lock:
                sandbox.outbox.request_test(endpoint, sandbox.clock.now())
        assert asked.wait(DEADLINE)
        assert eventually(lambda: received_types(handler)) == [AGREEMENT]
        assert eventually(lambda: [one.state for one in sandbox.outbox].count("pending") == 2)
        may_answer.set()
        assert eventually(lambda: len(lines) == 3)
    assert [line.split()[1] for line in lines] == ["3", "1", "2"]
    assert received_types(slow) == [AGREEMENT] * 2


@pytest.mark.parametrize("name", ["webhooks test", "webhooks send", "deliveries resend"])
def test_slow_receiver_does_not_delay_controls_of_others(lines: list[str], name: str) -> None:
    """What a control sends to another receiver is answered while a webhook is under way."""
    asked, may_answer = threading.Event(), threading.Event()

    def work() -> None:
        asked.set()
        may_answer.wait(DEADLINE)

    with (
        receiving() as (slow_url, slow),
        receiving() as (url, handler),
        standalone(lines) as served,
    ):
        slow.work = staticmethod(work)  # type: ignore[method-assign]  # as above
        sandbox = served.sandbox
        for one in (url, slow_url):
            sandbox.outbox.register(one, AGREEMENT, sandbox.clock.now())
        for endpoint in sandbox.outbox.endpoints:
            with sandbox.lock:
                sandbox.outbox.request_test(endpoint, sandbox.clock.now())
            assert eventually(lambda: handler.received)
        assert asked.wait(DEADLINE)
        other = next(iter(sandbox.outbox.endpoints)).id
        members: dict[str, dict[str, Any]] = {
            "webhooks test": {"id": other},
            "webhooks send": {"id": other, "event": AGREEMENT},
            "deliveries resend": {"number": 1},
        }
        call = ControlCall(tenant=served.tenants.default, tenants=served.tenants)
        execute(CONTROLS[name], call, members[name])
        assert len(handler.received) == 2
        assert [one.state for one in sandbox.outbox if one.endpoint_id != other] == ["pending"]
        may_answer.set()


def test_stop_sends_nothing_more(lines: list[str]) -> None:
    """What waits behind the delivery that is being sent stays pending."""
    asked, may_answer = threading.Event(), threading.Event()

    def work() -> None:
        asked.set()
        may_answer.wait(DEADLINE)

    with receiving() as (url, handler), standalone(lines) as served:
        handler.work = staticmethod(work)  # type: ignore[method-assign]  # of the subclass for this test
        sandbox = served.sandbox
        endpoint = sandbox.outbox.register(url, AGREEMENT, sandbox.clock.now())
        with sandbox.lock:
            for _ in "ab":
                sandbox.outbox.request_test(endpoint, sandbox.clock.now())
        assert asked.wait(DEADLINE)
        worker = served._worker
        assert eventually(lambda: len(served.tenants.default.deliveries._queues[endpoint.id]) == 2)
        worker.stop()
        may_answer.set()
        assert eventually(lambda: lines)
        assert eventually(lambda: "turris-delivery" not in threads())
        assert [one.state for one in sandbox.outbox] == ["delivered", "pending"]
    assert len(lines) == 1


def threads() -> list[str]:
    """Return the names of the running threads."""
    return [thread.name for thread in threading.enumerate()]


def test_error_while_sending_is_logged(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error fails the delivery and is one line; the next delivery is sent."""
    send, failures = Sender.send, iter([True])

    def fails_once(*args: Any) -> Any:
        if next(failures, False):
            raise RuntimeError("unexpected")
        return send(*args)

    monkeypatch.setattr(Sender, "send", fails_once)
    with receiving() as (url, handler), standalone(lines) as served:
        sandbox = served.sandbox
        endpoint = sandbox.outbox.register(url, AGREEMENT, sandbox.clock.now())
        for _ in "ab":
            with sandbox.lock:
                sandbox.outbox.request_test(endpoint, sandbox.clock.now())
        assert eventually(lambda: len(lines) == 2)
        assert [one.state for one in sandbox.outbox] == ["failed", "delivered"]
    error = "cannot send webhook 1: RuntimeError('unexpected')"
    assert lines[0] == f"{error} (a bug in the sandbox; please report it)"
    assert len(handler.received) == 1


def test_error_while_looking_is_logged_once(
    lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same error twice is one line, and the search continues."""
    take, failures = Engine.claim, iter([True, True])

    def fails_twice(engine: Engine) -> Any:
        if next(failures, False):
            raise RuntimeError("unexpected")
        return take(engine)

    monkeypatch.setattr(Engine, "claim", fails_twice)
    with receiving() as (url, handler), standalone(lines) as served:
        sandbox = served.sandbox
        endpoint = sandbox.outbox.register(url, AGREEMENT, sandbox.clock.now())
        sandbox.outbox.request_test(endpoint, sandbox.clock.now())
        assert eventually(lambda: handler.received)
        assert eventually(lambda: len(lines) == 2)
    assert lines[0].startswith("cannot look for due webhooks: RuntimeError('unexpected')")


def test_ctrl_c_does_not_wait_for_a_receiver() -> None:
    """A receiver that never answers does not delay the end of the server."""
    asked, may_answer = threading.Event(), threading.Event()

    def work() -> None:
        asked.set()
        may_answer.wait(DEADLINE)

    with receiving() as (url, handler):
        handler.work = staticmethod(work)  # type: ignore[method-assign]  # of the subclass for this test
        with serving() as running:
            Registered(running, url, AGREEMENT).test()
            assert asked.wait(DEADLINE)
        may_answer.set()
        assert running.process.returncode == 0
