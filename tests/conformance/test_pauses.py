"""Pauses between the tries of one call."""

from typing import Any

import pytest
from doubles.clients.good_client import GoodClient
from doubles.clients.sweeping import examine

from pytest_turris.core.faults.hostile.catalogue import CATALOGUE
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.time_travel.travel import TimeTravel


class RetriesAtOnce(GoodClient):
    """Has no pause between its tries."""

    def pause(self, attempt: int, outcome: Any) -> float:
        """None."""
        return 0.0


class OneRetryAtOnce(GoodClient):
    """Pauses from the second retry on, as urllib3 does."""

    def pause(self, attempt: int, outcome: Any) -> float:
        """None at first."""
        return super().pause(attempt, outcome) if attempt > 1 else 0.0


_PACED = [
    f"{answer.id}/{variant.name}"
    for answer in CATALOGUE.values()
    for variant in answer.variants
    if variant.paced
]


def test_words_about_pauses_are_judged() -> None:
    """Each answer whose words promise a pause between the tries has one that is judged."""
    promised = {
        answer.id
        for answer in CATALOGUE.values()
        if any(words in answer.expects for words in ("pause", "hot loop", "backoff"))
    }
    assert promised == {name.partition("/")[0] for name in _PACED} - {"AR-30"}


@pytest.mark.parametrize("name", _PACED)
@pytest.mark.parametrize(
    ("client", "outcome"), [(RetriesAtOnce, "failed"), (OneRetryAtOnce, "passed")]
)
def test_tries_have_pauses_between_them(
    turris: Sandbox, turris_time: TimeTravel, name: str, client: type[GoodClient], outcome: str
) -> None:
    """A client that repeats its request without any pause is caught; one retry may be at once."""
    verdict = examine(HostileCase(name, turris, turris_time), "httpx", client)
    assert verdict.outcome == outcome, verdict
    got = f"{name}: the client sent the same request "
    assert outcome == "passed" or got in verdict.findings[0].got
