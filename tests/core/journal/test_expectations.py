"""Refusals that fail the test, and those that it expects."""

import contextlib

import pytest
from doubles.sandbox_client import Client

from pytest_turris.core.journal.expectations import RefusalExpected
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox

AGENTS = "/v1/agents"


def test_a_request_that_turris_would_not_understand_is_complained_of(caller: Client) -> None:
    """An unknown path fails the test, with the exchange and both ways to relax it."""
    caller.get("/v1/agent")
    (complaint,) = caller.sandbox.strict_failures()
    assert complaint == (
        "1 request that Turris would not understand:\n"
        f"  {caller.sandbox.journal[-1]}\n"
        "Meant? Put the call into 'with turris.expect_refusal():', "
        "or relax it: @pytest.mark.turris(fail_on_refusal=False)"
    )


def test_what_breaks_the_contract_is_complained_of(caller: Client) -> None:
    """400, unknown path, 413 and 422 mean a broken client."""
    key = {"idempotency-key": "550e8400-e29b-41d4-a716-446655440000"}
    caller.post(AGENTS, {})
    caller.get("/nowhere")
    caller.send("POST", AGENTS, body=b"x" * 1_048_577)
    caller.invite(key)
    caller.invite(key, firstName="Jane")
    refused = [exchange.status for exchange in caller.sandbox.journal if exchange.is_client_error]
    assert refused == [400, 404, 413, 422]
    assert caller.sandbox.strict_failures()[0].startswith("4 requests that Turris would not")


def test_what_happens_in_production_is_not_complained_of(caller: Client) -> None:
    """A good client handles 401, 403, 404 for a record, and 429."""
    caller.get(f"{AGENTS}/000000000000000000000000")
    caller.sandbox.limits.exhaust()
    caller.ask_for_token()
    caller.get(AGENTS, scheme="http")
    caller.sandbox.tokens.revoke_all()
    caller.get(AGENTS)
    statuses = [exchange.status for exchange in caller.sandbox.journal][1:]
    assert statuses == [404, 429, 403, 401]
    assert caller.sandbox.strict_failures() == []


def test_a_scripted_status_is_not_complained_of(caller: Client) -> None:
    """A scripted status is expected: the test asked for it."""
    caller.sandbox.faults.add("list_agents", status=400)
    caller.get(AGENTS)
    assert caller.sandbox.strict_failures() == []


def test_an_expected_refusal_is_not_complained_of(caller: Client) -> None:
    """Refusals inside the block are expected."""
    with caller.sandbox.expect_refusal() as expected:
        caller.post(AGENTS, {})
        caller.get("/nowhere")
        caller.get(AGENTS)
    assert [exchange.status for exchange in expected.exchanges] == [400, 404]
    assert caller.sandbox.strict_failures() == []


def test_a_refusal_outside_of_the_block_still_counts(caller: Client) -> None:
    """Refusals before and after the block still fail the test."""
    caller.get("/before")
    with caller.sandbox.expect_refusal():
        caller.get("/inside")
    caller.get("/after")
    (complaint,) = caller.sandbox.strict_failures()
    assert complaint.startswith("2 requests")
    assert "/before" in complaint
    assert "/after" in complaint
    assert "/inside" not in complaint


def test_only_the_wanted_status_is_expected(caller: Client) -> None:
    """With ``status=400``, a 404 still fails the test."""
    with caller.sandbox.expect_refusal(status=400) as expected:
        caller.post(AGENTS, {})
        caller.get("/nowhere")
    assert [exchange.status for exchange in expected.exchanges] == [400]
    assert "/nowhere" in caller.sandbox.strict_failures()[0]


@pytest.mark.parametrize("name", ["create_agent", "POST /v1/agents"])
def test_only_the_wanted_operation_is_expected(caller: Client, name: str) -> None:
    """With ``operation=...``, by any of its names, other refusals still fail the test."""
    with caller.sandbox.expect_refusal(operation=name) as expected:
        caller.post(AGENTS, {})
        caller.invite(email="wrong")
    assert [exchange.operation for exchange in expected.exchanges] == ["create_agent"]
    assert "[invite]" in caller.sandbox.strict_failures()[0]


def test_any_operation_may_be_wanted(caller: Client) -> None:
    """``*`` is any operation, an unknown path included."""
    with caller.sandbox.expect_refusal(operation="*"):
        caller.get("/nowhere")
    assert caller.sandbox.strict_failures() == []


def test_an_expected_401_counts(client: Client) -> None:
    """Refusals that fail no test may be expected too."""
    with client.sandbox.expect_refusal(status=401) as expected:
        client.get(AGENTS)
    assert len(expected.exchanges) == 1


def test_a_block_without_a_refusal_fails(caller: Client) -> None:
    """The failure says what was expected and what the sandbox saw instead."""
    with (
        pytest.raises(RefusalExpected) as caught,
        caller.sandbox.expect_refusal(status=403, operation="list_agents"),
    ):
        caller.get(AGENTS)
    assert str(caught.value) == (
        "expected a refusal with status 403 of list_agents, but the sandbox saw:\n"
        f"  {caller.sandbox.journal[-1]}"
    )


def test_a_block_without_a_request_fails(sandbox: Sandbox) -> None:
    """A block without a request fails."""
    with pytest.raises(RefusalExpected) as caught, sandbox.expect_refusal():
        pass
    assert str(caught.value) == (
        "expected a refusal with status 4xx of any operation, but the sandbox saw:\n"
        "  no request at all"
    )


def test_the_error_of_the_block_comes_first(sandbox: Sandbox) -> None:
    """An error of the code under test is not hidden by the missing refusal."""
    with pytest.raises(ZeroDivisionError), sandbox.expect_refusal():
        raise ZeroDivisionError


def test_an_error_in_the_block_is_expected_too(caller: Client) -> None:
    """A refusal is expected even if the client raises for it."""
    expected = caller.sandbox.expect_refusal()
    with contextlib.suppress(ZeroDivisionError), expected:
        caller.post(AGENTS, {})
        raise ZeroDivisionError
    assert len(expected.exchanges) == 1
    assert caller.sandbox.strict_failures() == []


def test_an_unknown_operation_is_refused_at_once(sandbox: Sandbox) -> None:
    """A misspelt operation is refused at once, not at the end of the block."""
    with pytest.raises(ValueError, match="did you mean 'list_agents'"):
        sandbox.expect_refusal(operation="list_agent")


def test_the_complaint_may_be_switched_off() -> None:
    """Option ``fail_on_refusal``."""
    client = Client(Sandbox(Options(fail_on_refusal=False)))
    client.get("/nowhere")
    assert client.sandbox.strict_failures() == []


def test_complaints_are_bounded(caller: Client) -> None:
    """A client in a loop does not fill the report."""
    for _ in range(150):
        caller.get("/nowhere")
    assert caller.sandbox.strict_failures()[0].startswith("100 requests")
