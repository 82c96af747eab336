"""Each rule and each hostile answer catches the client that is broken for it."""

import pytest
from doubles.clients.fragile_clients import NoBounds
from doubles.clients.good_client import GoodClient
from doubles.clients.registry import ALSO, ALSO_FRAGILE, BROKEN, FRAGILE, RAW
from doubles.clients.stacks import OVER_A_SOCKET, STACKS
from doubles.clients.sweeping import NOT_OBSERVED, caught, examine

from pytest_turris.conformance.rules import RULES
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE
from pytest_turris.core.faults.hostile.handshakes import NAMES, SELF_SIGNED
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.findings.verdict import Verdict
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

pytestmark = pytest.mark.turris(time_engine="time-machine")

_CASES = [
    pytest.param(stack, rule, client, id=f"{stack}-{rule}-{client.__name__}")
    for stack in STACKS
    for rule in BROKEN
    for client in (BROKEN[rule], *ALSO.get(rule, []))
    if rule not in NOT_OBSERVED[stack]
]
_BY_ITSELF = {("AR-33", "requests"), ("AR-37", "requests")}
"""Where a bug cannot show: ten minutes pass in process only, or the library refuses the answer."""
_REFUSED_BY_AIOHTTP = {"AR-07/length too short", "AR-07/no chunk size"}
_RAW_CASES = [
    (stack, name)
    for stack in STACKS
    for name in RAW
    if not (stack == "aiohttp" and name in _REFUSED_BY_AIOHTTP)
]
_HASTE = 0.4
"""How many real seconds an endless answer takes here."""


def test_every_rule_has_a_bad_example() -> None:
    """Each rule and each hostile answer has a client that it must catch."""
    assert set(BROKEN) == set(RULES)
    assert set(FRAGILE) == set(CATALOGUE)


@pytest.mark.parametrize(("stack", "rule", "client"), _CASES)
def test_broken_client_is_caught(
    request: pytest.FixtureRequest, turris: Sandbox, *, stack: str, rule: str,
    client: type[GoodClient], turris_time: TimeTravel,
) -> None:  # fmt: skip
    """A client that is broken in one way breaks the rule about that."""
    if stack in OVER_A_SOCKET:
        request.getfixturevalue("turris_server")
    verdict = examine(TokenCase(rule, turris, turris_time), stack, client)
    assert verdict.outcome == caught(verdict.check), verdict
    assert str(verdict).startswith(rule)
    _assert_nothing_shown(str(verdict), turris)


@pytest.mark.parametrize("stack", ["httpx", "requests"])
@pytest.mark.turris(rate_headers="always")
@pytest.mark.parametrize("answer", FRAGILE)
def test_fragile_client_is_caught(
    request: pytest.FixtureRequest,
    stack: str,
    answer: str,
    turris: Sandbox,
    turris_time: TimeTravel,
) -> None:
    """A client that cannot cope with a hostile answer is caught."""
    if (answer, stack) in _BY_ITSELF:
        pytest.skip("the library or the door prevents it")
    if stack in OVER_A_SOCKET:
        request.getfixturevalue("turris_server")
    turris.agents.add(npn="12345678")
    case = HostileCase(answer, turris, turris_time)
    verdict = examine(case, stack, FRAGILE[answer], max_seconds=_HASTE)
    assert verdict.outcome == _caught(verdict, FRAGILE[answer]), verdict
    assert str(verdict).startswith(answer)
    _assert_nothing_shown(str(verdict), turris)


@pytest.mark.parametrize(("stack", "name"), _RAW_CASES)
def test_fragile_client_is_caught_over_a_socket(
    stack: str, name: str, turris: Sandbox, turris_time: TimeTravel, turris_server: Server
) -> None:
    """Each answer of raw bytes catches a client of each library that believes it or waits."""
    case = HostileCase(name, turris, turris_time)
    verdict = examine(case, stack, RAW[name], max_seconds=_HASTE)
    assert verdict.outcome == _caught(verdict, RAW[name]), verdict
    assert f"{name}: " in str(verdict)


@pytest.mark.parametrize("name", ALSO_FRAGILE)
def test_one_variant_catches_one_bug(name: str, turris: Sandbox, turris_time: TimeTravel) -> None:
    """A single variant, called by its name, catches the bug that it is about."""
    verdict = examine(HostileCase(name, turris, turris_time), "httpx", ALSO_FRAGILE[name])
    assert verdict.outcome == caught(verdict.check), verdict
    assert f"{name}: " in str(verdict)


def test_every_raw_answer_has_a_bad_example() -> None:
    """Each answer that needs a socket has a client that it must catch."""
    raw = {
        f"{answer.id}/{variant.name}"
        for answer in CATALOGUE.values()
        for variant in answer.variants
        if variant.transport == "socket"
    }
    assert set(RAW) == raw - {"AR-37/endless headers"}
    assert set(ALSO_FRAGILE) >= {f"AR-36/{name}" for name in NAMES if name != SELF_SIGNED}


def _caught(verdict: Verdict, client: type[GoodClient]) -> str:
    """The outcome; a missing limit for the size or the whole time is advice."""
    return "warned" if client is NoBounds else caught(verdict.check)


def _assert_nothing_shown(text: str, sandbox: Sandbox) -> None:
    secrets = [sandbox.client.client_secret, *(token.text for token in sandbox.tokens)]
    assert not [secret for secret in secrets if secret in text]
