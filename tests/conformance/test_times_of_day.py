"""A verdict does not depend on the time of day at which a run starts, nor on a client's dice."""

import datetime as dt
import random

import pytest
from doubles.clients.broken_tokens import BelievesTheServersClock
from doubles.clients.client_steps import Token
from doubles.clients.good_client import GoodClient
from doubles.clients.sweeping import examine

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

MINUTE = dt.timedelta(minutes=1)


class ByTheClock(GoodClient):
    """Replaces its token at certain times of the day, as an ``lru_cache`` by period does."""

    period = 50 * MINUTE

    def is_due(self, token: Token) -> bool:
        """In another period than the token, or after the usual age."""
        periods = {
            moment.timestamp() // self.period.total_seconds() for moment in self._moments(token)
        }
        return len(periods) > 1 or super().is_due(token)

    def _moments(self, token: Token) -> tuple[dt.datetime, dt.datetime]:
        return token.at, self.now()


class EveryHour(ByTheClock):
    """At each full hour."""

    period = 60 * MINUTE


class ShortPeriods(ByTheClock):
    """Some periods are hardly longer than the age at which tokens are compared."""

    period = 34 * MINUTE


class AtRandom(GoodClient):
    """Replaces one token in three early, so that not all machines ask at once."""

    dice = random.Random(7)  # noqa: S311 - no secret

    def is_due(self, token: Token) -> bool:
        """Sometimes."""
        if self.now() - token.at > 10 * MINUTE and self.dice.random() < 1 / 3:
            return True
        return super().is_due(token)


class LateAtTimes(ByTheClock):
    """At certain times only, and then late: TC-05 is about that, and no other rule."""

    buffer = dt.timedelta(0)
    period = 57 * MINUTE


def _begin(time: TimeTravel, minute: int) -> None:
    time.move_to(dt.datetime(2031, 3, 1, tzinfo=dt.UTC) + minute * MINUTE)


@pytest.mark.parametrize("minute", range(0, 60, 6))
@pytest.mark.parametrize("client", [ByTheClock, EveryHour, ShortPeriods, AtRandom, LateAtTimes])
def test_own_times_are_no_skew(
    turris: Sandbox, turris_time: TimeTravel, client: type[GoodClient], minute: int
) -> None:
    """A token that is replaced early at one time of the day says nothing of the server's clock."""
    _begin(turris_time, minute)
    verdict = examine(TokenCase("TC-09", turris, turris_time), "httpx", client)
    assert verdict.outcome == "passed", verdict


@pytest.mark.turris(time_engine="time-machine")
@pytest.mark.parametrize("minute", range(0, 60, 12))
@pytest.mark.parametrize("client", [ByTheClock, EveryHour, AtRandom])
def test_own_times_are_no_time_zone(
    turris: Sandbox, turris_time: TimeTravel, client: type[GoodClient], minute: int
) -> None:
    """Nor of the zone of the machine."""
    _begin(turris_time, minute)
    verdict = examine(TokenCase("TC-64", turris, turris_time), "httpx", client)
    assert verdict.outcome == "passed", verdict


@pytest.mark.parametrize("minute", range(0, 60, 12))
def test_skew_is_found_at_any_time(turris: Sandbox, turris_time: TimeTravel, minute: int) -> None:
    """A client that reads the server's times is found whenever the run starts."""
    _begin(turris_time, minute)
    verdict = examine(TokenCase("TC-09", turris, turris_time), "httpx", BelievesTheServersClock)
    assert verdict.outcome == "failed", verdict


@pytest.mark.parametrize("minute", range(0, 60, 2))
def test_own_times_are_no_cost_of_an_error(
    turris: Sandbox, turris_time: TimeTravel, minute: int
) -> None:
    """A token may also be replaced while a call waits: its own time has come, that is all.

    The longest wait is two minutes.
    """
    _begin(turris_time, minute)
    verdict = examine(TokenCase("TC-61", turris, turris_time), "httpx", ByTheClock)
    assert verdict.outcome == "passed", verdict
