"""Rate limits, errors and lost connections: when the client waits, repeats and raises."""

from datetime import timedelta
from typing import Any

import pytest

from agency_directory import (
    AgencyDirectory,
    ApiError,
    ConnectionLostError,
    RateLimitedError,
    ServerError,
)


def count(turris: Any, operation: str) -> int:
    return [exchange.operation for exchange in turris.journal].count(operation)


@pytest.fixture
def patient(turris_time: Any, pauses: list[float]) -> AgencyDirectory:
    """A client whose sleeps move the time."""

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        turris_time.advance(seconds=seconds)

    return AgencyDirectory.from_env(sleep=sleep)


def test_waits_until_the_window_resets(
    turris: Any, turris_time: Any, patient: AgencyDirectory, pauses: list[float]
) -> None:
    """A rate-limited write waits as long as Turris says, and then succeeds."""
    patient.agents()
    turris.limits.exhaust("write", leave=0)
    turris_time.advance(seconds=20)

    added = patient.add_agent(npn="12345678")

    assert [added.id] == [agent.id for agent in turris.agents]
    assert count(turris, "create_agent") == 2
    assert [pytest.approx(40, abs=1)] == pauses


def test_waits_for_the_first_token(
    turris: Any, patient: AgencyDirectory, pauses: list[float]
) -> None:
    """A rate-limited token request waits too."""
    turris.limits.exhaust("token", leave=0)

    assert patient.agents() == []
    assert [pytest.approx(60, abs=1)] == pauses


def test_waits_twice(turris: Any, directory: AgencyDirectory, pauses: list[float]) -> None:
    """If waiting does not help, the third refusal is raised."""
    turris.faults.add("create_agent", status=429, times=None)

    with pytest.raises(RateLimitedError):
        directory.add_agent(npn="12345678")

    assert count(turris, "create_agent") == 3
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("reset", "pause"),
    [
        ("", 1.0),
        ("soon", 1.0),
        ("3_0", 1.0),
        ("-1", 1.0),
        ("0", 1.0),
        ("1893456000000", 1.0),
        ("9999999999", 60.0),
        ("Sat, 01 Jan 2028 00:00:00 GMT", 1.0),
    ],
)
def test_hostile_reset(
    turris: Any, directory: AgencyDirectory, pauses: list[float], reset: str, pause: float
) -> None:
    """Whatever the header says, the pause has a minimum and a maximum."""
    turris.faults.add("create_agent", status=429, headers={"X-RateLimit-Reset": reset})

    directory.add_agent(npn="12345678")

    assert [pause] == pauses


@pytest.mark.parametrize("fault", [{"status": 503}, {"error": "reset"}, {"error": "connect"}])
def test_reads_are_repeated(
    turris: Any, directory: AgencyDirectory, pauses: list[float], fault: dict[str, Any]
) -> None:
    """A read succeeds after two failures in a row."""
    turris.faults.add("list_agents", **fault, times=2)

    assert directory.agents() == []
    assert pauses == [1.0, 2.0]


def test_reads_have_three_attempts(turris: Any, directory: AgencyDirectory) -> None:
    """The third failure is raised."""
    turris.faults.add("list_agents", status=503, times=None)

    with pytest.raises(ServerError) as caught:
        directory.agents()

    assert caught.value.status == 503
    assert count(turris, "list_agents") == 3


def test_lost_connection_shows_nothing(turris: Any, directory: AgencyDirectory) -> None:
    """The error of a lost token request does not contain the request."""
    turris.faults.add("get_oauth_token", error="reset", times=None)

    with pytest.raises(ConnectionLostError) as caught:
        directory.agents()

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert turris.client.client_secret not in repr(caught.value)


@pytest.mark.parametrize("fault", [{"status": 502}, {"error": "reset"}])
def test_unprotected_writes_are_not_repeated(
    turris: Any, directory: AgencyDirectory, fault: dict[str, Any]
) -> None:
    """Turris may have added the agent although the response was lost, so the caller decides."""
    turris.faults.add("create_agent", **fault, processed=True)

    with pytest.raises((ServerError, ConnectionLostError)):
        directory.add_agent(npn="12345678")

    assert count(turris, "create_agent") == 1
    assert [agent.npn for agent in directory.agents()] == ["12345678"]


@pytest.mark.parametrize("fault", [{"status": 502}, {"error": "reset"}])
def test_invitation_after_a_lost_response(
    turris: Any, directory: AgencyDirectory, invitation: dict[str, Any], fault: dict[str, Any]
) -> None:
    """An invitation is repeated with the same key, so the agency is invited once."""
    turris.faults.add("invite", **fault, processed=True)

    directory.invite_agency(**invitation)

    requests = [exchange for exchange in turris.journal if exchange.operation == "invite"]
    assert len(requests) == 2
    assert len({request.request_headers["idempotency-key"] for request in requests}) == 1
    assert len({request.request_body for request in requests}) == 1
    assert len(turris.associations) == 1


def test_conflict(turris: Any, directory: AgencyDirectory) -> None:
    """A request that Turris refused is not repeated."""
    turris.faults.add("list_agents", status=409)

    with pytest.raises(ApiError) as caught:
        directory.agents()

    assert caught.value.status == 409
    assert count(turris, "list_agents") == 1


def test_timeouts(turris: Any, directory: AgencyDirectory) -> None:
    """A call that exceeds the timeout raises ConnectionLostError."""
    turris.faults.add("list_agents", delay=timedelta(minutes=1), times=None)

    with pytest.raises(ConnectionLostError, match="Timeout"):
        directory.agents()
