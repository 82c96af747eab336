"""When the client requests, keeps and replaces a token."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from agency_directory import AgencyDirectory, ServerError, UnauthorizedError

MILLISECOND = timedelta(milliseconds=1)


def operations(turris: Any) -> list[str]:
    return [exchange.operation for exchange in turris.journal]


def test_one_token_for_many_calls(turris: Any, directory: AgencyDirectory) -> None:
    """One token request serves all calls."""
    for _ in range(20):
        directory.agents()

    assert turris.token_requests == 1


def test_kept_until_the_refresh_point(
    turris: Any, turris_time: Any, directory: AgencyDirectory
) -> None:
    """At 55:00.000 the token is still used; a new one is due only after that."""
    directory.agents()

    turris_time.to_refresh_point()
    directory.agents()

    assert turris.token_requests == 1


def test_refreshed_inside_the_buffer(
    turris: Any, turris_time: Any, directory: AgencyDirectory
) -> None:
    """At 55:00.001 a new token is requested and used."""
    directory.agents()

    turris_time.to_refresh_point(plus=MILLISECOND)
    directory.agents()
    directory.agents()

    assert turris.token_requests == 2


@pytest.mark.parametrize("plus", [-MILLISECOND, timedelta(), timedelta(days=3)])
def test_first_call_after_an_hour(
    turris: Any, turris_time: Any, directory: AgencyDirectory, plus: timedelta
) -> None:
    """The first call after an hour without calls works, and sends no expired token."""
    directory.agents()

    turris_time.to_expiry(plus=plus)
    directory.agents()

    assert operations(turris) == ["get_oauth_token", "list_agents"] * 2
    assert all(exchange.status < 400 for exchange in turris.journal)


def test_revoked_token(turris: Any, directory: AgencyDirectory) -> None:
    """If a token is revoked early, the client replaces it and repeats the call."""
    directory.agents()
    turris.tokens.revoke_all()

    with turris.expect_refusal(status=401, operation="list_agents"):
        assert directory.agents() == []

    assert operations(turris)[2:] == ["list_agents", "get_oauth_token", "list_agents"]


def test_never_accepted(turris: Any, directory: AgencyDirectory) -> None:
    """A call that is refused with a new token too has no third attempt."""
    turris.faults.add("list_agents", status=401, times=None)

    with pytest.raises(UnauthorizedError):
        directory.agents()

    assert operations(turris) == ["get_oauth_token", "list_agents"] * 2


def test_revoked_credentials_are_final(
    turris: Any, directory: AgencyDirectory, pauses: list[float]
) -> None:
    """With revoked credentials a call fails at once, without another attempt."""
    directory.agents()
    turris.credentials.revoke(turris.client)

    with turris.expect_refusal(status=401), pytest.raises(UnauthorizedError):
        directory.agents()
    with turris.expect_refusal(status=401), pytest.raises(UnauthorizedError):
        directory.agents()

    assert operations(turris)[2:] == ["list_agents", "get_oauth_token", "get_oauth_token"]
    assert pauses == []


def test_rotated_secret(
    turris: Any, turris_time: Any, directory: AgencyDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old secret's token works until it is due; a client with the new secret keeps working."""
    directory.agents()
    turris.credentials.rotate(turris.client)
    directory.agents()

    turris_time.to_refresh_point(plus=MILLISECOND)
    with turris.expect_refusal(status=401), pytest.raises(UnauthorizedError):
        directory.agents()

    monkeypatch.setenv("TURRIS_CLIENT_SECRET", turris.client.client_secret)
    with AgencyDirectory.from_env() as renewed:
        assert renewed.agents() == []


@pytest.mark.parametrize(
    "fail",
    [
        lambda turris: turris.faults.add("get_oauth_token", status=503),
        lambda turris: turris.faults.add("get_oauth_token", error="reset"),
        lambda turris: turris.limits.exhaust("token", leave=0),
    ],
    ids=["unavailable", "connection lost", "rate limited"],
)
def test_refresh_fails_while_the_token_is_good(
    turris: Any, turris_time: Any, directory: AgencyDirectory, fail: Callable[[Any], object]
) -> None:
    """If a refresh fails, the old token is used for its last five minutes."""
    directory.agents()
    turris_time.to_refresh_point(plus=MILLISECOND)
    fail(turris)

    directory.agents()
    directory.agents()
    assert operations(turris)[2:] == ["get_oauth_token", "list_agents", "list_agents"]

    turris_time.advance(minutes=2)
    directory.agents()
    assert operations(turris)[5:] == ["get_oauth_token", "list_agents"]


def test_first_token_fails(turris: Any, directory: AgencyDirectory, pauses: list[float]) -> None:
    """Without a token, the token request is repeated, but not endlessly."""
    turris.faults.add("get_oauth_token", status=503, times=None)

    with pytest.raises(ServerError):
        directory.agents()

    assert operations(turris) == ["get_oauth_token"] * 3
    assert pauses == [1.0, 2.0]


def test_age_counts_from_the_request(
    turris: Any, turris_time: Any, directory: AgencyDirectory
) -> None:
    """The hour is counted from the request, not from a slow response."""
    turris.faults.add("get_oauth_token", delay=timedelta(seconds=5))
    directory.agents()

    turris_time.advance(minutes=55, seconds=-5, milliseconds=1)
    directory.agents()

    assert turris.token_requests == 2
