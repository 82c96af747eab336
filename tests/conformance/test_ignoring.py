"""Rules and answers that a test ignores, by a call or by a marker."""

import pytest

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.errors import IgnoreError, NotObservedError
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

ALONE = ("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "ignore")


@pytest.fixture
def case(turris: Sandbox, turris_time: TimeTravel) -> TokenCase:
    """The rule about the buffer."""
    return TokenCase("TC-05", turris, turris_time)


def test_ignored_rule_is_skipped_with_its_reason(case: TokenCase) -> None:
    """An ignored rule makes no call, and its test is skipped with the reason."""
    case.ignore("TC-05", reason="the gateway refreshes for us")
    with pytest.raises(NotObservedError, match="the gateway refreshes for us"):
        case.run(lambda: pytest.fail("called"))


@pytest.mark.parametrize(("rule", "reason"), [("TC-05", " "), ("TC-99", "because")])
def test_ignoring_needs_a_rule_and_a_reason(case: TokenCase, rule: str, reason: str) -> None:
    """Neither an empty reason nor an unknown rule is accepted."""
    with pytest.raises(IgnoreError, match=r"reason|there is no check"):
        case.ignore(rule, reason=reason)


_MARKED = """
import pytest

pytestmark = pytest.mark.turris(
    ignore={{"TC-05": "the gateway refreshes", "AR-27": "no limits here", {also}: "because"}}
)

def test_rule(turris_token_case):
    if turris_token_case.id == "TC-06":
        pytest.skip("another kind")
    turris_token_case.run(lambda: pytest.fail("called"))

def test_answer(turris_hostile_answer):
    turris_hostile_answer.run(lambda: pytest.fail("called"))
"""


def test_marker_ignores_rules_and_answers(pytester: pytest.Pytester) -> None:
    """A marker's checks are skipped with their reasons, in both fixtures; other kinds are not."""
    pytester.makepyfile(_MARKED.format(also='"WH-13"'))
    result = pytester.runpytest_inprocess("-rs", "-k", "TC-05 or AR-27 or TC-06", *ALONE)
    result.assert_outcomes(skipped=3)
    result.stdout.fnmatch_lines(["*TC-05 is ignored: the gateway*", "*AR-27 is ignored: no lim*"])


def test_marker_with_an_unknown_rule_fails(pytester: pytest.Pytester) -> None:
    """A rule that does not exist is a mistake of the marker."""
    pytester.makepyfile(_MARKED.format(also='"TC-99"'))
    result = pytester.runpytest_inprocess("-k", "TC-06 or AR-28", *ALONE)
    result.assert_outcomes(errors=1)
    words = "*turris marker: ignore: there is no check 'TC-99'; did you mean 'TC-*"
    result.stdout.fnmatch_lines([words])


def test_ignored_answer_is_skipped(turris: Sandbox, turris_time: TimeTravel) -> None:
    """An ignored hostile answer is not given, and its test is skipped with the reason."""
    case = HostileCase("AR-27", turris, turris_time)
    case.ignore("AR-27", reason="no limits here")
    with pytest.raises(NotObservedError, match="no limits here"):
        case.run(lambda: pytest.fail("called"))
