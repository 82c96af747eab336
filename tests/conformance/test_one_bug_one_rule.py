"""A bug is found by the rules about it, and by no other."""

import pytest
from doubles.clients.early_and_late import LastsUntilItsExpiry
from doubles.clients.sweeping import examine

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel


@pytest.mark.parametrize("rule", ["TC-05", "TC-06", "TC-12"])
def test_its_own_bugs_are_found(turris: Sandbox, turris_time: TimeTravel, rule: str) -> None:
    """Each bug of a client is found by the rules about it."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", LastsUntilItsExpiry)
    assert verdict.outcome == "failed"


@pytest.mark.parametrize("rule", ["TC-03", "TC-09", "TC-21", "TC-24", "TC-25", "TC-26", "TC-27"])
def test_no_bug_is_found_by_other_rules(
    turris: Sandbox, turris_time: TimeTravel, rule: str
) -> None:
    """Rules about something else move well past the expiry, and need no buffer."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", LastsUntilItsExpiry)
    assert verdict.outcome == "passed", verdict


@pytest.mark.parametrize("answer", ["AR-01", "AR-24"])
def test_no_bug_is_found_by_other_answers(
    turris: Sandbox, turris_time: TimeTravel, answer: str
) -> None:
    """Hostile answers of the token endpoint find none of its bugs either."""
    verdict = examine(HostileCase(answer, turris, turris_time), "httpx", LastsUntilItsExpiry)
    assert verdict.outcome == "passed", verdict
