"""Correct clients of ordinary designs get no finding, and one bug breaks one rule."""

import gc
import time

import pytest
from doubles.clients import ordinary
from doubles.clients.broken_tokens import FetchesForEachCall, NoSecondTry
from doubles.clients.good_client import GoodClient
from doubles.clients.sweeping import examine

from pytest_turris.conformance.observation.real_clocks import clocks_read
from pytest_turris.conformance.rules import RULES
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

_OF_TOKENS = [
    "TC-01", "TC-02", "TC-03", "TC-04", "TC-05", "TC-06", "TC-07", "TC-08", "TC-09", "TC-10",
    "TC-11", "TC-21", "TC-22", "TC-24", "TC-25", "TC-26", "TC-27", "TC-28", "TC-41", "TC-42",
]  # fmt: skip
_CORRECT = [
    ordinary.NotStrict, ordinary.Jittered, ordinary.TenMinutesAhead, ordinary.CapturedClock,
    ordinary.RefusesStrangeAnswers,
]  # fmt: skip
_ONE_BUG = [
    (ordinary.RenewsOnRefusal, {"TC-05", "TC-06"}),
    (ordinary.NeverRenews, {"TC-05", "TC-06", "TC-22"}),
    (FetchesForEachCall, {"TC-01", "TC-04"}),
    (NoSecondTry, {"TC-22"}),
]
_SERIOUS = ("failed", "warned")
_FEW = 100


@pytest.mark.parametrize("rule", _OF_TOKENS)
@pytest.mark.parametrize("client", _CORRECT)
def test_ordinary_design_breaks_no_rule(
    turris: Sandbox, turris_time: TimeTravel, client: type[GoodClient], rule: str
) -> None:
    """Early, jittered, strict, or with a clock of its own: nothing worth a failure or a warning."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", client)
    assert verdict.outcome not in _SERIOUS, verdict


@pytest.mark.parametrize("rule", ["TC-08", "TC-09", "TC-21", "TC-26", "TC-60", "TC-63"])
def test_pause_after_a_failed_token_request_hides_nothing(
    turris: Sandbox, turris_time: TimeTravel, rule: str
) -> None:
    """A rule whose token requests fail in turn lets time pass between them."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", ordinary.CoolsDown)
    assert verdict.outcome == "passed", verdict


@pytest.mark.parametrize("rule", _OF_TOKENS)
@pytest.mark.parametrize(("client", "broken"), _ONE_BUG)
def test_one_bug_breaks_its_rules_only(
    turris: Sandbox,
    turris_time: TimeTravel,
    client: type[GoodClient],
    broken: set[str],
    rule: str,
) -> None:
    """What follows from the bug elsewhere is not observed."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", client)
    assert (verdict.outcome in _SERIOUS) is (rule in broken), verdict


def test_client_that_waits_for_a_new_token_sends_no_old_one(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """A client that asks until it has a new token is given one in the end."""
    verdict = examine(TokenCase("TC-06", turris, turris_time), "httpx", ordinary.WaitsForAToken)
    assert verdict.outcome == "passed", verdict
    assert turris.token_requests < _FEW


@pytest.mark.parametrize("rule", ["TC-05", "TC-06", "TC-10", "TC-11"])
def test_captured_clock_gives_no_verdict(
    turris: Sandbox, turris_time: TimeTravel, rule: str
) -> None:
    """The reason names the module and the clock that did not move."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", ordinary.CapturedClock)
    assert verdict.outcome == "not observed", verdict
    assert "clock did not move (doubles.clients.ordinary: time.perf_counter)" in verdict.reason


def test_collection_of_garbage_reads_no_clock_of_the_client() -> None:
    """Its callbacks interrupt any code; hypothesis has one that measures how long it takes."""
    now = time.perf_counter

    def measure(_phase: str, _info: dict[str, int]) -> None:
        now()

    gc.callbacks.append(measure)
    try:
        with clocks_read() as found:
            gc.collect()
    finally:
        gc.callbacks.remove(measure)
    assert not found
    with clocks_read() as found:
        now()
    assert list(found.values()) == [now]


def test_early_refresh_is_worth_a_note(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A longer buffer than recommended is safe, and noted."""
    case = TokenCase("TC-05", turris, turris_time)
    verdict = examine(case, "httpx", ordinary.TenMinutesAhead)
    assert (verdict.outcome, verdict.level) == ("noted", "info")


@pytest.mark.parametrize("name", ["TC-28", "AR-07", "AR-16", "AR-37"])
def test_suppressed_context_is_no_leak(turris: Sandbox, turris_time: TimeTravel, name: str) -> None:
    """Nothing shows what ``raise ... from None`` hides."""
    kind = TokenCase if name in RULES else HostileCase
    verdict = examine(kind(name, turris, turris_time), "httpx", ordinary.SuppressesContext)
    assert verdict.outcome == "passed", verdict


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name != "AR-36"])
def test_token_that_is_never_renewed_breaks_no_answer(
    turris: Sandbox, turris_time: TimeTravel, name: str
) -> None:
    """An answer that such a client never asks for, or that its old token prevents, is not given."""
    turris.agents.add(npn="12345678")
    verdict = examine(HostileCase(name, turris, turris_time), "httpx", ordinary.NeverRenews)
    expected = {"AR-11": "failed"}.get(name)
    assert verdict.outcome == expected or verdict.outcome in ("passed", "not observed"), verdict
