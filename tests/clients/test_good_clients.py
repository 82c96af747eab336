import pytest

from pytest_turris.clients.case import TokenCase
from pytest_turris.clients.hostile_case import HostileCase
from pytest_turris.clients.rules import NOT_PROBED

from .stacks import OVER_A_SOCKET, STACKS
from .sweeping import examine

NOT_OBSERVED = {
    "httpx": {"TC-43"},
    "httpx async": set(),
    "requests": {"TC-19", "TC-32", "TC-38", "TC-43"},
    "aiohttp": {"TC-19", "TC-32", "TC-38"},
}
"""Cancelling needs an async client; no timeout, downgrade or environment over plain loopback."""


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
    silent = turris_token_case.id in NOT_PROBED or turris_token_case.id in NOT_OBSERVED[stack]
    assert verdict.status == ("not observed" if silent else "passed"), verdict.text


@pytest.mark.turris(time_engine="time-machine")
def test_good_client_copes(stack: str, turris_hostile_answer: HostileCase) -> None:
    """A correct client on each stack copes with each hostile answer, all variants."""
    verdict = examine(turris_hostile_answer, stack)
    assert verdict.status == "passed", verdict.text
