"""A correct client passes each rule and copes with each hostile answer, on four stacks."""

import pytest
from doubles.clients.broken_sharing import KeepsItsToken, WritesInPlace
from doubles.clients.good_client import GoodClient
from doubles.clients.registry import RAW
from doubles.clients.stacks import OVER_A_SOCKET, STACKS
from doubles.clients.sweeping import NOT_OBSERVED, examine

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel


class Hasty(GoodClient):
    """With timeouts for tests: where nothing answers, they really pass."""

    timeout = 0.3
    deadline = 0.6


@pytest.fixture(params=list(STACKS))
def stack(request: pytest.FixtureRequest) -> str:
    """Each stack in turn; those that the door in process cannot answer get the server."""
    if request.param in OVER_A_SOCKET:
        request.getfixturevalue("turris_server")
    return str(request.param)


@pytest.mark.turris(time_engine="time-machine")
def test_good_client_keeps_the_rule(stack: str, turris_token_case: TokenCase) -> None:
    """A correct client on each stack passes each rule that can be observed there."""
    verdict = examine(turris_token_case, stack)
    # TC-46 is about a repeated write, before which this client looks whether it took effect; TC-70
    # about a file, in which it keeps nothing.
    silent = turris_token_case.id in NOT_OBSERVED[stack] | {"TC-46", "TC-70"}
    assert verdict.outcome == ("not observed" if silent else "passed"), verdict


@pytest.mark.turris(time_engine="time-machine")
@pytest.mark.parametrize(
    ("client", "rule", "outcome"),
    [
        (KeepsItsToken, "TC-29", "passed"), (KeepsItsToken, "TC-70", "not observed"),
        (KeepsItsToken, "TC-56", "passed"), (WritesInPlace, "TC-70", "passed"),
    ],
)  # fmt: skip
def test_good_client_with_a_file_keeps_the_rule(
    client: type[GoodClient], rule: str, outcome: str, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """A private file that is renamed, or one that may be damaged, breaks no rule about files."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", client)
    assert verdict.outcome == outcome, verdict


@pytest.mark.turris(time_engine="time-machine")
def test_good_client_copes(stack: str, turris: Sandbox, turris_hostile_answer: HostileCase) -> None:
    """A correct client on each stack copes with each hostile answer, in all variants."""
    turris.agents.add(npn="12345678")
    verdict = examine(turris_hostile_answer, stack, Hasty)
    assert verdict.outcome == "passed", verdict


@pytest.mark.turris(time_engine="time-machine")
@pytest.mark.parametrize("stack", ["httpx", "httpx async"])
@pytest.mark.parametrize("name", RAW)
def test_good_client_copes_over_a_socket(
    stack: str, name: str, turris: Sandbox, turris_time: TimeTravel, turris_server: Server
) -> None:
    """A correct client of httpx copes with answers that no HTTP library would send."""
    verdict = examine(HostileCase(name, turris, turris_time), stack, Hasty)
    assert (verdict.outcome, "not given" in str(verdict)) == ("passed", False), verdict
