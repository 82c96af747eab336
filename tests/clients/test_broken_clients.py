import pytest

from pytest_turris.clients.case import TokenCase
from pytest_turris.clients.hostile_case import HostileCase
from pytest_turris.clients.rules import NOT_PROBED, RULES
from pytest_turris.core.hostile.catalogue import CATALOGUE
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel import TimeTravel

from .broken_clients import ALSO, BROKEN
from .good_client import GoodClient
from .helpless_clients import HELPLESS
from .stacks import OVER_A_SOCKET, STACKS
from .sweeping import examine
from .test_good_clients import NOT_OBSERVED

pytestmark = pytest.mark.turris(time_engine="time-machine")

_CASES = [
    pytest.param(stack, rule, client, id=f"{stack}-{rule}-{client.__name__}")
    for stack in STACKS
    for rule in BROKEN
    for client in (BROKEN[rule], *ALSO.get(rule, []))
    if rule not in NOT_OBSERVED[stack]
]
_BY_ITSELF = {("AR-33", "requests"), ("AR-37", "requests")}
"""Where a bug cannot show: nothing sleeps over a socket, or the library refuses by itself."""


def test_every_rule_has_a_bad_example() -> None:
    """Each rule with a probe, and each hostile answer, has a client that it must catch."""
    assert set(BROKEN) | set(NOT_PROBED) == set(RULES)
    assert set(HELPLESS) == set(CATALOGUE)


@pytest.mark.parametrize(("stack", "rule", "client"), _CASES)
def test_broken_client_is_caught(
    request: pytest.FixtureRequest, turris: Sandbox, *, stack: str, rule: str,
    client: type[GoodClient], turris_time: TimeTravel,
) -> None:  # fmt: skip
    """A client that is broken in one way breaks the rule about that."""
    if stack in OVER_A_SOCKET:
        request.getfixturevalue("turris_server")
    verdict = examine(TokenCase(rule, turris, turris_time), stack, client)
    assert verdict.status == "broken", verdict.text
    assert verdict.text.startswith(rule)
    _assert_nothing_shown(verdict.text, turris)


@pytest.mark.parametrize("stack", ["httpx", "requests"])
@pytest.mark.parametrize("answer", HELPLESS)
def test_helpless_client_is_caught(
    request: pytest.FixtureRequest,
    stack: str,
    answer: str,
    turris: Sandbox,
    turris_time: TimeTravel,
) -> None:
    """A client that cannot cope with a hostile answer is told so."""
    if (answer, stack) in _BY_ITSELF:
        pytest.skip("the library or the door does not let it happen")
    if stack in OVER_A_SOCKET:
        request.getfixturevalue("turris_server")
    verdict = examine(HostileCase(answer, turris, turris_time), stack, HELPLESS[answer])
    assert verdict.status == "broken", verdict.text
    assert verdict.text.startswith(answer)
    _assert_nothing_shown(verdict.text, turris)


def _assert_nothing_shown(text: str, sandbox: Sandbox) -> None:
    secrets = [sandbox.client.client_secret, *(token.text for token in sandbox.tokens)]
    assert not [secret for secret in secrets if secret in text]
