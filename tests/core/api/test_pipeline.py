"""The steps of a call that are not an operation's own: decoys, faults, permissions, idempotency."""

import datetime as dt
from collections.abc import Callable

import pytest
from doubles.sandbox_client import Client, headers_of, refusal

from pytest_turris.core.journal.journal import NO_ANSWER
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.errors import ConnectionFailure


def test_a_decoy_host_has_no_operations(caller: Client) -> None:
    """A host to which a hostile answer redirects is not the API, whatever the path."""
    answer = caller.get("/v1/agents", host="collector.decoy.invalid")
    assert refusal(answer)[:2] == (404, "not_found")
    exchange = caller.sandbox.journal[-1]
    assert exchange.operation is None
    assert "sent to collector.decoy.invalid" in exchange.reason


def test_a_hostile_answer_takes_the_place_of_the_operation(caller: Client) -> None:
    """The journal notes which one the test asked for."""
    caller.sandbox.faults.hostile("AR-10/loop 302", "list_agents", times=1)
    answer = caller.get("/v1/agents")
    assert (answer.status, headers_of(answer)["location"]) == (302, "/v1/agents")
    assert "AR-10/loop 302" in " ".join(caller.sandbox.journal[-1].notes)
    assert caller.get("/v1/agents").status == 200


def test_an_answer_of_raw_bytes_is_noted_and_breaks_the_connection(caller: Client) -> None:
    """Only a door on a socket can send it; the sandbox keeps what there was to send."""
    caller.sandbox.faults.hostile("AR-08/endless chunks", "list_agents", times=1)
    with pytest.raises(ConnectionFailure):
        caller.get("/v1/agents")
    assert len(caller.sandbox.faults.raw_answers) == 1
    assert caller.sandbox.journal[-1].status == NO_ANSWER


def test_a_repeated_key_gets_the_stored_answer_with_its_own_headers(
    caller_with: Callable[..., Client],
) -> None:
    """The body is the first one, byte for byte; the rate limit counts both calls."""
    caller = caller_with(rate_headers="always")
    caller.sandbox.limits.reset()
    key = {"idempotency-key": "550e8400-e29b-41d4-a716-446655440000"}
    first, second = caller.invite(key), caller.invite(key)
    assert (second.status, second.body) == (first.status, first.body)
    left = [int(headers_of(answer)["x-ratelimit-remaining"]) for answer in (first, second)]
    assert left[0] - left[1] == 1
    assert len(caller.sandbox.associations) == 1


def test_a_delayed_fault_delays_the_answer(caller: Client) -> None:
    """The operation is performed, as late as the fault says."""
    caller.sandbox.faults.add("list_agents", delay=3)
    answer = caller.get("/v1/agents")
    assert (answer.status, answer.delay) == (200, dt.timedelta(seconds=3))


def test_a_read_only_restricted_token_cannot_write() -> None:
    """Option ``restricted_token_access='read'``: refused before the body is read."""
    sandbox = Sandbox(Options(restricted_token_access="read"))
    token = {"x-restricted-access-token": sandbox.credentials.issue_restricted().token}
    client = Client(sandbox)
    assert client.get("/v1/agents", token).status == 200
    assert refusal(client.post("/v1/agents", {}, token))[:2] == (403, "forbidden")
