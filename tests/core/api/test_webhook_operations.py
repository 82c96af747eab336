"""Webhooks over HTTP, all of it assumed; only the engine sends."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from doubles.sandbox_client import Client, refusal

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.unknowns.option_values import OptionError
from pytest_turris.fixtures.webhooks import TurrisWebhooks
from pytest_turris.receivers.target import Target

WEBHOOKS = "/v1/webhooks"
AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"
TYPES = (
    "AGENT_COMPLIANCE_STATUS_CHANGE, DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE, "
    "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED, PRODUCER_AGREEMENT_EXECUTED"
)
NOBODY = "0" * 24
# Nothing listens there, and a delivery to it is refused before a connection is made.
ELSEWHERE = "https://192.0.2.1/hooks"


def register(caller: Client, **members: object) -> Any:  # noqa: ANN401 - JSON
    """Register a webhook, and give the response's data."""
    document = {"url": ELSEWHERE, "webhookType": AGREEMENT} | members
    response = caller.post(WEBHOOKS, document)
    assert response.status == 201, response.body
    return response.json()["data"]


def deliveries(caller: Client, webhook: Any) -> Any:  # noqa: ANN401 - JSON
    """The deliveries of a webhook."""
    response = caller.get(f"{WEBHOOKS}/{webhook['_id']}/deliveries")
    assert response.status == 200
    return response.json()["data"]


def agreement(caller: Client) -> None:
    """Execute an agreement."""
    caller.sandbox.execute_agreement(caller.sandbox.associations.add())


def test_registration_shows_the_secret_once(caller: Client) -> None:
    """The response to the registration has it; the list and the webhook do not."""
    made = register(caller)
    assert list(made) == ["_id", "url", "webhookType", "createdAt", "secret"]
    assert made["secret"].startswith("turris_sandbox_webhook_")
    shown = {name: made[name] for name in made if name != "secret"}
    assert caller.get(f"{WEBHOOKS}/{made['_id']}").json()["data"] == shown
    assert caller.get(WEBHOOKS).json()["data"] == [shown]
    assert register(caller)["secret"] != made["secret"]


def test_secret_is_in_no_record(caller: Client) -> None:
    """The journal masks the one-time secret and the URL, which may carry a token of its own."""
    made = register(caller, url="https://192.0.2.1/hooks/of-a-token")
    kept = repr(caller.sandbox.journal.snapshot()) + "".join(map(str, caller.sandbox.journal))
    assert made["secret"] not in kept
    assert f"***-{made['secret'][-4:]}" in kept
    assert "of-a-token" not in kept
    assert made["secret"] not in repr(list(caller.sandbox.outbox.endpoints))


def test_option_for_the_secret_holds_for_a_registered_webhook(
    caller_with: Callable[..., Client],
) -> None:
    """A registered webhook is signed with the key of the option, which is masked as well."""
    caller = caller_with(webhook_secret="a-key-of-the-test")
    assert register(caller)["secret"] == "a-key-of-the-test"
    assert "a-key-of-the-test" not in repr(caller.sandbox.journal.snapshot())


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com:8443/a/b?c=d&e=%20",
        "https://[::1]:8443/",
        "http://localhost:3000/webhooks",
        "http://127.0.0.1",
        "http://127.255.0.9:65535/",
        "http://[::1]:8000/",
    ],
)
def test_https_and_this_machine_are_accepted(caller: Client, url: str) -> None:
    """HTTPS leads anywhere, HTTP to loopback only; the URL is kept as it was given."""
    assert register(caller, url=url)["url"] == url


@pytest.mark.parametrize(
    "url", ["http://example.com/", "http://192.0.2.1", "http://127.0.0.1.nip.io/"]
)
def test_plain_http_to_elsewhere_is_refused(caller: Client, url: str) -> None:
    """Egress: a URL that is neither HTTPS nor on this machine is a 400, and not registered."""
    answer = caller.post(WEBHOOKS, {"url": url, "webhookType": AGREEMENT})
    assert refusal(answer) == (400, "invalid_input", ["url must be an https URL address"])
    assert len(caller.sandbox.outbox.endpoints) == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://",
        "https://user:pass@example.com/",
        "http://localhost@example.com/",
        "https://example.com/#fragment",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://exämple.com/",
        "https://[B45CDEfC]/",
        "https://example.com:65536/",
        "http://127.0.0.256/a\tb",
    ],
)
def test_other_texts_are_refused(caller: Client, url: str) -> None:
    """URLs that parsers disagree on, and other schemes, with class-validator's message."""
    answer = caller.post(WEBHOOKS, {"url": url, "webhookType": AGREEMENT})
    assert refusal(answer) == (400, "invalid_input", ["url must be a URL address"])


@pytest.mark.parametrize(
    ("document", "messages"),
    [
        ({}, ["Field 'url' is required", "Field 'webhookType' is required"]),
        (
            {"url": 5, "webhookType": [AGREEMENT]},
            ["url must be a string", f"webhookType must be one of the following values: {TYPES}"],
        ),
        (
            {"url": ELSEWHERE, "webhookType": "*"},
            [f"webhookType must be one of the following values: {TYPES}"],
        ),
        (
            {"url": "https://a/" + "a" * 2_048, "webhookType": AGREEMENT},
            ["url must be shorter than or equal to 2048 characters"],
        ),
    ],
)
def test_bodies_are_validated(caller: Client, document: object, messages: list[str]) -> None:
    """One message for each failed rule; the type is exactly one of the documented."""
    assert refusal(caller.post(WEBHOOKS, document)) == (400, "invalid_input", messages)


def test_several_webhooks_may_share_a_url_and_a_type(caller: Client) -> None:
    """They are listed in the order of their registration, each with an id of its own."""
    made = [register(caller)["_id"] for _ in range(3)]
    assert [one["_id"] for one in caller.get(WEBHOOKS).json()["data"]] == made
    assert len(set(made)) == 3


def test_deleted_webhook_is_gone(caller: Client) -> None:
    """204 without content, once; deliveries that wait are not sent."""
    made = register(caller)
    agreement(caller)
    answer = caller.send("DELETE", f"{WEBHOOKS}/{made['_id']}")
    assert (answer.status, answer.body) == (204, b"")
    assert caller.send("DELETE", f"{WEBHOOKS}/{made['_id']}").status == 404
    assert caller.get(WEBHOOKS).json()["data"] == []
    assert TurrisWebhooks.of(caller.sandbox).drain().attempts == 0


@pytest.mark.parametrize(
    ("method", "rest"),
    [("GET", ""), ("DELETE", ""), ("GET", "/deliveries"), ("POST", "/test"), ("POST", "/enable"),
     ("POST", f"/deliveries/{NOBODY}/resend")],
)  # fmt: skip
@pytest.mark.parametrize("id_", [NOBODY, "x", "%00", "9" * 5_000])
def test_unknown_webhook_is_a_404(caller: Client, method: str, rest: str, id_: str) -> None:
    """For any text in place of a known id."""
    answer = caller.send(method, f"{WEBHOOKS}/{id_}{rest}")
    assert refusal(answer) == (404, "not_found", ["Webhook not found"])


def test_delivery_of_another_webhook_is_a_404(caller: Client) -> None:
    """A delivery is found below its own webhook only."""
    mine, theirs = register(caller), register(caller, webhookType="AGENT_COMPLIANCE_STATUS_CHANGE")
    agreement(caller)
    (delivery,) = deliveries(caller, mine)
    for webhook, id_ in ((theirs, delivery["_id"]), (mine, NOBODY), (mine, "x")):
        answer = caller.post(f"{WEBHOOKS}/{webhook['_id']}/deliveries/{id_}/resend", {})
        assert refusal(answer) == (404, "not_found", ["Webhook delivery not found"])


def test_deliveries_show_every_attempt(caller: Client) -> None:
    """A delivery waits until the engine sends it; the attempt shows its time, latency and error."""
    made = register(caller)
    agreement(caller)
    (waiting,) = deliveries(caller, made)
    assert (waiting["state"], waiting["attempts"]) == ("pending", [])
    TurrisWebhooks.of(caller.sandbox).drain()
    (failed,) = deliveries(caller, made)
    assert list(failed) == ["_id", "webhookId", "webhookType", "state", "attempts"]
    assert (failed["_id"], failed["state"]) == (waiting["_id"], "failed")
    (attempt,) = failed["attempts"]
    assert list(attempt) == ["attempt", "at", "latency", "error"]
    assert attempt["attempt"] == 1
    assert attempt["error"].startswith("EgressRefused: refused to send to 192.0.2.1:443")


def test_disabled_webhook_is_enabled(caller_with: Callable[..., Client]) -> None:
    """It says why it is disabled; once enabled it receives what happens from then on."""
    caller = caller_with(webhook_disable_after=1)
    webhooks, made = TurrisWebhooks.of(caller.sandbox), register(caller)
    path = f"{WEBHOOKS}/{made['_id']}"
    agreement(caller)
    webhooks.drain()
    assert caller.get(path).json()["data"]["disabled"].startswith("1 delivery failed, at ")
    agreement(caller)
    answer = caller.post(f"{path}/enable", {})
    assert (answer.status, "disabled" in answer.json()["data"]) == (201, False)
    assert "secret" not in answer.json()["data"]
    assert (webhooks.drain().attempts, len(deliveries(caller, made))) == (0, 1)
    agreement(caller)
    assert (webhooks.drain().attempts, len(deliveries(caller, made))) == (1, 2)


def test_nothing_from_before_the_registration_is_sent(caller: Client) -> None:
    """A webhook receives what happens from its registration on."""
    agreement(caller)
    made = register(caller)
    assert deliveries(caller, made) == []


def test_test_and_resend_are_queued_and_sent_by_the_engine(caller: Client) -> None:
    """The calls send neither; the engine sends the same bytes twice, signed with the secret."""
    made = register(caller)
    got: list[bytes] = []

    def verify(body: bytes, headers: dict[str, str]) -> bool:
        webhooks.scheme.verify(body, headers, made["secret"])
        got.append(body)
        return len(got) > 1

    webhooks = TurrisWebhooks.of(caller.sandbox)
    (endpoint,) = webhooks.endpoints
    webhooks._engine.set_target(endpoint, Target.of(verify))
    answer = caller.post(f"{WEBHOOKS}/{made['_id']}/test", {})
    assert (answer.status, answer.json()["data"]["state"], got) == (201, "pending", [])
    webhooks.drain()
    assert json.loads(got[0])["webhookType"] == AGREEMENT
    (delivery,) = deliveries(caller, made)
    assert (delivery["state"], delivery["attempts"][0]["status"]) == ("failed", 401)

    resend = f"{WEBHOOKS}/{made['_id']}/deliveries/{delivery['_id']}/resend"
    answer = caller.post(resend, {})
    assert (answer.status, answer.json()["data"], len(got)) == (201, delivery, 1)
    done = webhooks.drain()
    assert (done.attempts, done.delivered) == (1, 1)
    assert got[0] == got[1]
    (delivery,) = deliveries(caller, made)
    assert delivery["state"] == "delivered"
    assert [(one["attempt"], one["status"]) for one in delivery["attempts"]] == [(1, 401), (0, 204)]


def test_resend_to_a_deleted_webhook_is_not_sent(caller: Client) -> None:
    """A resend that was requested before the deletion is skipped."""
    made = register(caller)
    agreement(caller)
    (delivery,) = deliveries(caller, made)
    caller.post(f"{WEBHOOKS}/{made['_id']}/deliveries/{delivery['_id']}/resend", {})
    caller.send("DELETE", f"{WEBHOOKS}/{made['_id']}")
    assert TurrisWebhooks.of(caller.sandbox).drain().attempts == 0
    assert len(caller.sandbox.outbox) == 0


def test_webhook_registered_in_python_is_managed_over_http(caller: Client) -> None:
    """Both ways lead to the same webhooks; one registered over HTTP can be removed in Python."""
    webhooks = TurrisWebhooks.of(caller.sandbox)
    webhooks.register(lambda body, headers: None, "/hooks", event=AGREEMENT)
    (shown,) = caller.get(WEBHOOKS).json()["data"]
    assert shown["url"] == "app:/hooks"
    register(caller)
    for endpoint in webhooks.endpoints:
        webhooks.remove(endpoint)
    assert caller.get(WEBHOOKS).json()["data"] == []


def test_idempotency_keys_are_not_looked_at(caller: Client) -> None:
    """The same key registers a second webhook, and it need not be a UUID."""
    document = {"url": ELSEWHERE, "webhookType": AGREEMENT}
    made = [caller.post(WEBHOOKS, document, {"idempotency-key": "x"}).json()["data"] for _ in "ab"]
    assert made[0]["_id"] != made[1]["_id"]


def test_writes_count_for_the_rate_limit(caller_with: Callable[..., Client]) -> None:
    """Register, test and delete share the limit of all writes; reads are free."""
    caller = caller_with(writes_per_minute=3)
    made = register(caller)
    caller.get(f"{WEBHOOKS}/{made['_id']}")
    assert caller.post(f"{WEBHOOKS}/{made['_id']}/test", {}).status == 201
    assert caller.send("DELETE", f"{WEBHOOKS}/{made['_id']}").status == 204
    assert caller.get(WEBHOOKS).status == 200
    assert caller.post(WEBHOOKS, {}).status == 429


def test_snapshot_is_exact(caller: Client) -> None:
    """Webhooks, deliveries and requested resends survive JSON, and go on in another sandbox."""
    made = register(caller)
    caller.post(f"{WEBHOOKS}/{made['_id']}/test", {})
    (delivery,) = deliveries(caller, made)
    caller.post(f"{WEBHOOKS}/{made['_id']}/deliveries/{delivery['_id']}/resend", {})
    state = caller.sandbox.snapshot()
    other = Sandbox(name="other")
    other.restore(json.loads(json.dumps(state)))
    assert other.snapshot() == state
    assert TurrisWebhooks.of(other).drain().attempts == 2


def test_path_is_an_option(caller_with: Callable[..., Client]) -> None:
    """All paths move together; the old ones are unknown, and the description moves too."""
    caller = caller_with(webhooks_path="/v2/hooks")
    made = caller.post("/v2/hooks", {"url": ELSEWHERE, "webhookType": AGREEMENT}).json()["data"]
    assert caller.get(f"/v2/hooks/{made['_id']}/deliveries").status == 200
    assert caller.post(f"/v2/hooks/{made['_id']}/test", {}).status == 201
    assert refusal(caller.get(WEBHOOKS)) == (404, "not_found", ["Resource not found"])
    described = caller.get("/__sandbox__/openapi.json").json()["paths"]
    assert "/v2/hooks/{webhookId}/test" in described
    assert not any(path.startswith(WEBHOOKS) for path in described)
    caller.sandbox.faults.add("GET /v2/hooks", status=503)
    assert caller.get("/v2/hooks").status == 503


@pytest.mark.parametrize("path", ["", "/", "hooks", "/hooks/", "/a b", "/{id}", "/a?b", "/ä"])
def test_path_is_a_path(path: str) -> None:
    """A path that no route can have is refused at once."""
    with pytest.raises(OptionError, match="webhooks_path"):
        Options(webhooks_path=path)


def test_path_of_another_operation_is_refused() -> None:
    """Webhooks hide no documented operation."""
    with pytest.raises(OptionError, match="as POST /v1/agents is there"):
        Sandbox(Options(webhooks_path="/v1/agents"))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/hooks", "example.com:443"),
        ("https://App.Test:3000", "app.test:3000"),
        ("https://192.0.2.7/", "192.0.2.7:443"),
        ("http://127.0.0.1:3000/hooks", ""),
        ("https://localhost/hooks", ""),
        ("https://app.LOCALHOST:8443", ""),
        ("http://[::1]:3000", ""),
    ],
)
def test_a_url_of_another_machine_is_noted(caller: Client, url: str, name: str) -> None:
    """It is accepted, as at Turris; the journal and the log say at once that nothing is sent."""
    register(caller, url=url)
    noted = (
        f"{name} is not this machine: nothing is sent there "
        f"(turris-sandbox serve --allow {name} does)"
    )
    assert caller.sandbox.journal[-1].notes == ((noted,) if name else ())
