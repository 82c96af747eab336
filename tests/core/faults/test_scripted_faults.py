"""Scripted faults: when they fire, what they answer, and which are refused."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from doubles.sandbox_client import NOW, Client, headers_of, refusal

from pytest_turris.core.faults.fault import FailureKind, FaultError
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.errors import ConnectionFailure

AGENTS = "/v1/agents"


def statuses(client: Client, calls: int) -> list[int]:
    """The statuses of a number of reads."""
    return [client.get(AGENTS).status for _ in range(calls)]


def test_a_status_is_answered_in_the_shape_of_turris(caller: Client) -> None:
    """A scripted status has the error envelope and its documented ``errorType``."""
    caller.sandbox.faults.add("list_agents", status=500)
    response = caller.get(AGENTS)
    assert refusal(response) == (500, "internal_error", ["Scripted fault of list_agents"])
    assert list(response.json()) == [
        "statusCode", "requestId", "errorType", "errorMessage", "timestamp",
    ]  # fmt: skip
    assert caller.sandbox.journal[-1].reason == "scripted fault: 500"


def test_fires_once_unless_told_otherwise(caller: Client) -> None:
    """The first call fails, the next is served."""
    caller.sandbox.faults.add("list_agents", status=503)
    assert statuses(caller, 3) == [503, 200, 200]


def test_fires_so_often(caller: Client) -> None:
    """``times=2`` fails two calls."""
    caller.sandbox.faults.add("list_agents", status=503, times=2)
    assert statuses(caller, 4) == [503, 503, 200, 200]


def test_fires_until_removed(caller: Client) -> None:
    """``times=None`` fails every call until the fault is removed."""
    fault = caller.sandbox.faults.add("list_agents", status=503, times=None)
    assert statuses(caller, 5) == [503] * 5
    caller.sandbox.faults.remove(fault)
    assert statuses(caller, 2) == [200, 200]


def test_fire_in_the_order_of_their_adding(caller: Client) -> None:
    """One fault fires per call, the one added first."""
    for status in (500, 502, 503):
        caller.sandbox.faults.add("list_agents", status=status)
    assert statuses(caller, 4) == [500, 502, 503, 200]


def test_a_star_is_any_operation(caller: Client) -> None:
    """``*`` fires for the first call, the token endpoint included."""
    caller.sandbox.faults.add("*", status=503, times=2)
    assert caller.ask_for_token().status == 503
    assert statuses(caller, 2) == [503, 200]


def test_a_fault_waits_for_its_operation(caller: Client) -> None:
    """Other operations are answered as usual."""
    caller.sandbox.faults.add("create_agent", status=503)
    assert statuses(caller, 1) == [200]
    assert caller.post(AGENTS, {"npn": "1"}).status == 503


def test_an_unknown_path_is_no_operation(caller: Client) -> None:
    """A 404 for an unknown path uses up no fault."""
    caller.sandbox.faults.add("*", status=503)
    assert caller.get("/nowhere").status == 404
    assert statuses(caller, 1) == [503]


@pytest.mark.parametrize(
    "name", ["list_agents", "AgentFeatureController_getAgents_v1", "GET /v1/agents"]
)
def test_an_operation_is_named_in_three_ways(caller: Client, name: str) -> None:
    """An operation is named by its name, its operation id, or method and path."""
    caller.sandbox.faults.add(name, status=503)
    assert statuses(caller, 1) == [503]


def test_an_unknown_operation_is_refused(sandbox: Sandbox) -> None:
    """A misspelt operation is refused at once."""
    with pytest.raises(ValueError, match="no operation 'list_agent'; did you mean 'list_agents'"):
        sandbox.faults.add("list_agent", status=503)


def test_headers_go_with_the_status(caller: Client) -> None:
    """A 503 may carry ``Retry-After``; names are sent in lower case."""
    caller.sandbox.faults.add("list_agents", status=503, headers={"Retry-After": "7"})
    assert headers_of(caller.get(AGENTS)) == {
        "content-type": "application/json; charset=utf-8",
        "retry-after": "7",
    }


def test_headers_replace_those_of_the_sandbox(caller: Client) -> None:
    """A proxy's page of HTML has one content type, which is not JSON's."""
    caller.sandbox.faults.add("list_agents", status=502, headers={"Content-Type": "text/html"})
    sent = caller.get(AGENTS).headers
    assert [value for name, value in sent if name == "content-type"] == ["text/html"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Transfer-Encoding", "chunked", "the server writes the header 'Transfer-Encoding' itself"),
        ("content-length", "7", "the server writes the header 'content-length' itself"),
        ("CONNECTION", "close", "the server writes the header 'CONNECTION' itself"),
        ("Upgrade", "h2c", "the server writes the header 'Upgrade' itself"),
        ("Trailer", "x-a", "the server writes the header 'Trailer' itself"),
        ("", "a", "'' is not the name of a header"),
        ("x a", "a", "'x a' is not the name of a header"),
        ("x:", "a", "'x:' is not the name of a header"),
        ("x\n", "a", "is not the name of a header"),
        ("x-a", "secret\r\nx-b: c", "the value of the header 'x-a' must be a text of Latin-1"),
        ("x-a", "secret\n", "the value of the header 'x-a' must be a text of Latin-1"),
        ("x-a", "secret\u20ac", "the value of the header 'x-a' must be a text of Latin-1"),
        ("x-a", 7, "the value of the header 'x-a' must be a text of Latin-1"),
    ],
)
def test_headers_that_no_answer_can_have_are_refused(
    sandbox: Sandbox, name: str, value: str, words: str
) -> None:
    """When they are scripted, since a server would break off its answer; a value is not shown."""
    with pytest.raises(FaultError, match=words) as caught:
        sandbox.faults.add("list_agents", status=503, headers={"x-fits": "\t a\xe9", name: value})
    assert "secret" not in str(caught.value)
    assert list(sandbox.faults) == []


@pytest.mark.parametrize("kind", ["connect", "reset"])
def test_a_broken_connection_has_no_answer(caller: Client, kind: FailureKind) -> None:
    """The door gets a failure of that kind, and the journal an exchange without a status."""
    caller.sandbox.faults.add("list_agents", error=kind)
    with pytest.raises(ConnectionFailure) as caught:
        caller.get(AGENTS)
    assert caught.value.kind == kind
    seen = caller.sandbox.journal[-1]
    assert (seen.status, seen.reason, seen.response_body) == (0, f"scripted fault: {kind}", "")
    assert statuses(caller, 1) == [200]


@pytest.mark.parametrize("delay", [dt.timedelta(seconds=2.5), 2.5])
def test_a_delay_passes_on_the_sandbox_clock(caller: Client, delay: dt.timedelta | float) -> None:
    """The answer comes later on the sandbox's clock; nothing sleeps."""
    caller.sandbox.faults.add("list_agents", delay=delay)
    response = caller.get(AGENTS)
    assert (response.status, response.delay) == (200, dt.timedelta(seconds=2.5))
    assert caller.sandbox.clock.now() == NOW + dt.timedelta(seconds=2.5)
    assert caller.get(AGENTS).delay == dt.timedelta(0)


def test_a_delay_may_outlast_the_token(caller: Client) -> None:
    """A request that waits for an hour is refused at the end: its token has expired."""
    caller.sandbox.faults.add("list_agents", delay=dt.timedelta(hours=1))
    assert caller.get(AGENTS).status == 401


def test_a_delay_may_end_in_a_status(caller: Client) -> None:
    """A delay and a status together: a gateway that gives up after half a minute."""
    caller.sandbox.faults.add("list_agents", delay=30, status=504)
    response = caller.get(AGENTS)
    assert (response.status, response.delay) == (504, dt.timedelta(seconds=30))


def test_a_fault_takes_no_effect_unless_processed(caller_with: Callable[..., Client]) -> None:
    """A failed write has no effect and does not count against the limit."""
    caller = caller_with(rate_headers="always")
    caller.sandbox.faults.add("create_agent", status=503)
    assert caller.post(AGENTS, {"npn": "1"}).status == 503
    assert len(caller.sandbox.agents) == 0
    response = caller.post(AGENTS, {"npn": "1"})
    assert headers_of(response)["x-ratelimit-remaining"] == "59"


def test_a_processed_fault_took_effect(caller: Client) -> None:
    """The write took effect; only its answer is a failure."""
    caller.sandbox.faults.add("create_agent", status=504, processed=True)
    assert caller.post(AGENTS, {"npn": "1"}).status == 504
    assert [entry.npn for entry in caller.sandbox.agents] == ["1"]


def test_a_reset_may_come_after_the_effect(caller: Client) -> None:
    """The connection breaks after the write took effect."""
    caller.sandbox.faults.add("create_agent", error="reset", processed=True)
    with pytest.raises(ConnectionFailure):
        caller.post(AGENTS, {"npn": "1"})
    assert len(caller.sandbox.agents) == 1


def test_what_would_be_refused_takes_no_effect_either(caller: Client) -> None:
    """Processed or not: an invalid request changes nothing, and the scripted status is sent."""
    caller.sandbox.faults.add("create_agent", status=504, processed=True)
    assert caller.post(AGENTS, {}).status == 504
    assert len(caller.sandbox.agents) == 0


def test_a_token_may_be_issued_and_its_answer_lost(client: Client) -> None:
    """The token endpoint may fail after its work too."""
    client.sandbox.faults.add("get_oauth_token", status=502, processed=True)
    assert client.ask_for_token().status == 502
    assert len(list(client.sandbox.tokens)) == 1


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({}, "a fault needs a status, an error or a delay"),
        ({"processed": True}, "a fault needs a status, an error or a delay"),
        (
            {"status": 503, "error": "reset"},
            "give a status or an error, not both: with an error there is no answer",
        ),
        ({"status": 200}, "status=200 is not an error status; use 400 to 599"),
        ({"status": 600}, "status=600 is not an error status; use 400 to 599"),
        ({"error": "timeout"}, "error='timeout' is not one of 'connect', 'reset'"),
        (
            {"error": "reset", "headers": {"Retry-After": "1"}},
            "headers are those of an answer with an error: give its status, too",
        ),
        (
            {"delay": 1, "headers": {"Retry-After": "1"}},
            "headers are those of an answer with an error: give its status, too",
        ),
        ({"delay": -1}, "delay=-1 day, 23:59:59 is negative"),
        ({"delay": float("inf")}, "delay=inf is not a number of seconds"),
        ({"delay": float("nan")}, "delay=nan is not a number of seconds"),
        (
            {"status": 503, "times": 0},
            "times=0 is not a whole number from 1; None lets it fire until it is removed",
        ),
        ({"status": "500"}, "status='500' is not an error status; use 400 to 599"),
        ({"status": 500.5}, "status=500.5 is not an error status; use 400 to 599"),
        ({"delay": "5"}, "delay='5' is not a number of seconds"),
        ({"real_delay": [5]}, "real_delay=[5] is not a number of seconds"),
        (
            {"status": 503, "times": "2"},
            "times='2' is not a whole number from 1; None lets it fire until it is removed",
        ),
        (
            {"status": 503, "headers": {"Retry-After": 5}},
            (
                "the value of the header 'Retry-After' must be a text of Latin-1 without line "
                "breaks or other control characters"
            ),
        ),
        (
            {"status": 503, "headers": [("Retry-After", "5")]},
            "headers are a dict, such as {'Retry-After': '5'}",
        ),
        (
            {"error": "connect", "processed": True},
            "processed=True needs a connection; use error='reset'",
        ),
    ],
)
def test_a_fault_that_cannot_be_is_refused(
    sandbox: Sandbox, facts: dict[str, Any], message: str
) -> None:
    """An impossible fault is refused at once, and no fault is added."""
    with pytest.raises(ValueError, match=r".") as caught:
        sandbox.faults.add("list_agents", **facts)
    assert str(caught.value) == message
    assert list(sandbox.faults) == []


def test_an_unused_fault_is_complained_of(caller: Client) -> None:
    """A fault that never fired fails the test; the message says how to relax it."""
    caller.sandbox.faults.add("list_agents", status=503)
    assert caller.sandbox.strict_failures() == [
        (
            "1 scripted fault that never fired:\n"
            "  list_agents: status=503 (fired 0 of 1 times)\n"
            "Not sure to fire? faults.add(..., optional=True), "
            "or relax it: @pytest.mark.turris(fail_on_unused_fault=False)"
        )
    ]
    caller.get(AGENTS)
    assert caller.sandbox.strict_failures() == []


def test_an_optional_fault_may_stay_unused(sandbox: Sandbox) -> None:
    """``optional=True``: it does not fail the test."""
    sandbox.faults.add("list_agents", status=503, optional=True)
    assert sandbox.strict_failures() == []


def test_a_fault_that_was_taken_back_may_stay_unused(sandbox: Sandbox) -> None:
    """A removed fault does not fail the test; removing it twice is not an error."""
    fault = sandbox.faults.add("list_agents", status=503)
    sandbox.faults.remove(fault)
    sandbox.faults.remove(fault)
    sandbox.faults.add("list_agents", status=503)
    sandbox.faults.clear()
    assert sandbox.strict_failures() == []


def test_the_complaint_may_be_switched_off() -> None:
    """Option ``fail_on_unused_fault``."""
    sandbox = Sandbox(Options(fail_on_unused_fault=False))
    sandbox.faults.add("list_agents", status=503)
    assert sandbox.strict_failures() == []


def test_a_fault_says_what_it_does(sandbox: Sandbox) -> None:
    """Its text names the operation, the effect and how often it fired."""
    faults = sandbox.faults
    late = faults.add("*", delay=2, error="reset", times=None)
    assert str(late) == "*: error='reset', delay=0:00:02 (fired 0 times)"
    assert str(faults.add("invite", status=503, times=3)) == (
        "invite: status=503 (fired 0 of 3 times)"
    )
    assert late in list(faults)
