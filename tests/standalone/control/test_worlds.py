"""The rows that make a file of a sandbox, and read one."""

import json

import pytest
from doubles.controlled import Controlled, Refused

from pytest_turris.core.worlds import World


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
