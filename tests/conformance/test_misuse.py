"""Cases that cannot be run: what the test gave does not do what it should."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from doubles.clients.plain_client import PlainClient

from pytest_turris.conformance.errors import CaseError
from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel


def test_unknown_rule_is_an_error_with_the_nearest(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """A misspelt rule."""
    with pytest.raises(ValueError, match=r"there is no rule 'TC-5'; did you mean 'TC-\d5'\?"):
        TokenCase("TC-5", turris, turris_time)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("TC-01", "the call sent no request to the sandbox: check its base URL"),
        ("TC-02", "the calls sent no token request: a result"),
        ("TC-14", "the call sent no token request: a result"),
    ],
)
def test_call_has_to_reach_the_sandbox(
    turris: Sandbox, turris_time: TimeTravel, rule: str, words: str
) -> None:
    """A call that sends nothing is not a client of Turris."""
    with pytest.raises(CaseError, match=words) as raised:
        TokenCase(rule, turris, turris_time).run(lambda: None)
    assert isinstance(raised.value, TurrisKitError)


def test_call_without_a_token_has_no_age(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Public operations need no token, so none can grow old."""
    with pytest.raises(CaseError, match="none can grow old"):
        TokenCase("TC-06", turris, turris_time).run(
            lambda: httpx.get(f"{turris.base_url}/.well-known/jwks.json")
        )


@pytest.mark.parametrize(("rule", "given"), [("TC-04", "new_client"), ("TC-53", "operation")])
@pytest.mark.parametrize("value", [lambda: 3, lambda: None])
def test_what_makes_a_call_has_to_return_one(
    turris: Sandbox, turris_time: TimeTravel, rule: str, given: str, value: Callable[[], object]
) -> None:
    """A value that is not callable is named as the mistake."""
    more: dict[str, Any] = {given: value}
    with pytest.raises(CaseError, match=f"{given} must return a callable"):
        TokenCase(rule, turris, turris_time).run(PlainClient(turris).call, **more)


def test_operation_that_fails_is_the_tests_mistake(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """The error is part of the message."""
    with pytest.raises(CaseError, match="not ZeroDivisionError"):
        TokenCase("TC-53", turris, turris_time).run(
            PlainClient(turris).call, operation=lambda: 1 // 0
        )
