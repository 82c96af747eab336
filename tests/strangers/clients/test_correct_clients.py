"""No check accuses a correct client, whatever its design.

A verdict *not observed* is no accusation. A finding of level ``should`` or ``info`` is recorded for
the table in the documentation, and judged there.
"""

from collections.abc import Callable
from typing import Any

import pytest
from strangers.clients.design import Design
from strangers.clients.run import SECONDS, put
from strangers.clients.ways import Way

from pytest_turris.findings.errors import CheckFailedError, NotObservedError

# A client on trio that stops reading leaves httpx's generator to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

Property = Callable[[str, object], None]


@pytest.fixture
def agent_id(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, turris: Any, way: Way
) -> str:
    """An agent to ask for; the client finds the sandbox in the environment."""
    if way.socket:
        monkeypatch.setenv("TURRIS_TIMEOUT", str(SECONDS))
        request.getfixturevalue("turris_server")
    return str(turris.agents.add(npn="12345678").id)


@pytest.fixture
def judge(
    correct: Design, way: Way, agent_id: str, record_property: Property
) -> Callable[[str, Any], None]:
    """Runs a case on the client, and writes the verdict on the test's report."""

    def run(check: str, case: Any) -> None:
        for name, value in (("design", correct.name), ("way", way.name), ("check", check)):
            record_property(name, value)
        try:
            outcome: str = put(case, correct, agent_id).outcome
        except NotObservedError:
            outcome = "not observed"
        except CheckFailedError:
            record_property("verdict", "failed")
            if check in correct.remarks:
                return
            raise
        record_property("verdict", outcome)

    return run


def test_no_rule_accuses_a_correct_client(
    turris_token_case: Any, judge: Callable[[str, Any], None]
) -> None:
    """A client that handles its token correctly breaks no rule."""
    judge(turris_token_case.rule.id, turris_token_case)


def test_no_hostile_answer_accuses_a_correct_client(
    turris_hostile_answer: Any, judge: Callable[[str, Any], None]
) -> None:
    """A client that reads answers with care copes with every one of them."""
    judge(turris_hostile_answer.id, turris_hostile_answer)
