import datetime as dt

from doubles.sandbox_client import Client, headers_of, refusal

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox


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
