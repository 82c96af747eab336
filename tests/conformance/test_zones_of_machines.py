"""A verdict does not depend on the time zone of the machine on which the tests run."""

import time
from collections.abc import Iterator

import pytest
from doubles.clients.broken_sharing import UtcAsLocalTime
from doubles.clients.good_client import GoodClient
from doubles.clients.sweeping import examine

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel


@pytest.fixture(autouse=True, params=["UTC0", "NPT-5:45", "CET-1CEST,M3.5.0,M10.5.0/3", "HST10"])
def _zone_of_the_machine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.turris(time_engine="time-machine")
@pytest.mark.parametrize(
    ("client", "outcome"), [(UtcAsLocalTime, "failed"), (GoodClient, "passed")]
)
def test_only_the_bug_is_found(
    turris: Sandbox, turris_time: TimeTravel, client: type[GoodClient], outcome: str
) -> None:
    """A client that takes UTC for local time is caught in each zone, and a correct one in none."""
    verdict = examine(TokenCase("TC-64", turris, turris_time), "httpx", client)
    assert verdict.outcome == outcome, verdict
