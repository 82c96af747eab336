"""The rows that make a file of a sandbox, and read one."""

import datetime as dt
import json

import pytest
from doubles.controlled import Controlled, Refused

from pytest_turris.core.wire.messages import Request
from pytest_turris.core.worlds import World

KIND = "PRODUCER_AGREEMENT_EXECUTED"


def test_world_goes_from_one_server_to_another() -> None:
    """With new credentials, which are shown this once."""
    one, other = Controlled(envelope="top_level"), Controlled()
    one.call("POST", "/agents", npn="12345678")
    one.sandbox.credentials.issue()
    one.sandbox.credentials.issue_restricted(allowed=["10.0.0.0/8"])
    one.sandbox.outbox.register(
        "http://127.0.0.1:9/", "PRODUCER_AGREEMENT_EXECUTED", one.sandbox.clock.now()
    )
    world = one.get("/world")
    assert World.read(json.dumps(world).encode()).options == one.sandbox.options
    found = other.call("POST", "/world", world=world)
    assert other.get("/agents")["items"][0]["agent"]["npn"] == "12345678"
    client = other.sandbox.client
    assert found["clients"][0]["clientSecret"] == client.client_secret
    assert found["clients"][0]["clientId"] == client.client_id
    assert len(found["clients"]) == 2
    assert found["restrictedTokens"][0]["allowed"] == ["10.0.0.0/8"]
    assert found["webhooks"][0]["secret"] == next(iter(other.sandbox.outbox.endpoints)).secret
    assert other.sandbox.options.envelope == "data"


def test_world_to_share_has_no_secret() -> None:
    """Nor what was signed with one, nor an answer that is kept for its idempotency key."""
    one = Controlled()
    sandbox = one.sandbox
    restricted = sandbox.credentials.issue_restricted()
    old = str(sandbox.client.client_secret)
    sandbox.credentials.rotate(sandbox.client, overlap=dt.timedelta(minutes=5))
    token = sandbox.tokens.issue(sandbox.client)
    body = json.dumps({"url": "http://127.0.0.1:9/", "webhookType": KIND}).encode()
    answer = sandbox.handle(
        Request(
            method="POST", path="/v1/webhooks", body=body,
            headers=(
                ("authorization", f"Bearer {token.text}"), ("content-type", "application/json"),
                ("idempotency-key", "a-key-of-this-test"),
            ),
        )
    )  # fmt: skip
    assert answer.status == 201
    sandbox.faults.add("list_agents", status=503, headers={"x-api-key": f"{old}"})
    sandbox.handle(Request(method="GET", path=f"/v1/agents/{token.text}", query=f"token={old}"))
    sandbox.execute_agreement(sandbox.associations.add())
    one.call("POST", "/webhooks/deliver")  # nothing listens there
    (endpoint,) = sandbox.outbox.endpoints
    text = json.dumps(one.get("/world"))
    for secret in (
        old, sandbox.client.client_secret, restricted.token, token.text, endpoint.secret,
        token.text.rpartition(".")[2], sandbox.webhook_secret, sandbox.randomness.seed,
    ):  # fmt: skip
        assert str(secret) not in text
    signed = one.get("/world", "withSecrets=true")
    deliveries = json.dumps(signed["state"]["outbox"])
    assert "x-turris-signature" in deliveries.lower()
    assert "x-turris-signature" not in text.lower()


def test_world_with_secrets_keeps_the_credentials() -> None:
    """Only if it is asked for."""
    one, other = Controlled(), Controlled()
    assert str(one.sandbox.client.client_secret) not in json.dumps(one.get("/world"))
    found = other.call("POST", "/world", world=one.get("/world", "withSecrets=true"))
    assert found["clients"][0]["clientSecret"] == one.sandbox.client.client_secret


def test_what_is_no_world_changes_nothing() -> None:
    """The reason is the one of the Python API."""
    controlled = Controlled()
    before = controlled.sandbox.snapshot()
    for given, message in (({}, "400 .*not a world"), ({"format": "turris-sandbox world"}, "400")):
        with pytest.raises(Refused, match=message):
            controlled.call("POST", "/world", world=given)
    assert controlled.sandbox.snapshot() == before
