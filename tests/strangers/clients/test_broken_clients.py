"""A realistic bug is found by the checks that name it."""

from collections.abc import Callable
from typing import Any

from strangers.clients.design import Design
from strangers.clients.run import put

from pytest_turris.conformance.rules import RULES
from pytest_turris.findings.errors import CheckFailedError, NotObservedError
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase


def test_bug_is_found(
    broken: Design,
    check: str,
    turris: Any,
    turris_time: Any,
    record_property: Callable[[str, object], None],
) -> None:
    """The check fails, warns or notes; for a bug that it cannot see, it does not pass."""
    agent_id = str(turris.agents.add(npn="12345678").id)
    kind = TokenCase if check in RULES else HostileCase
    for name, value in (("bug", broken.name), ("check", check)):
        record_property(name, value)
    try:
        verdict = put(kind(check, turris, turris_time), broken, agent_id)
        outcome, words = verdict.outcome, str(verdict)
    except CheckFailedError as error:
        outcome, words = "failed", str(error)
    except NotObservedError as error:
        outcome, words = "not observed", str(error)
    record_property("verdict", outcome)
    found = {"not observed"} if broken.argument else {"failed", "warned", "noted"}
    assert outcome in found, words
