"""The async client."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from agency_directory import AsyncAgencyDirectory, ConnectionLostError, UnauthorizedError

T = TypeVar("T")


@pytest.fixture
def run(
    turris: Any,  # noqa: ARG001 - opens the doors
    pauses: list[float],
) -> Callable[[Callable[[AsyncAgencyDirectory], Awaitable[T]]], T]:
    """Run a function with a client that records its pauses instead of sleeping."""

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def main(use: Callable[[AsyncAgencyDirectory], Awaitable[T]]) -> T:
        async with AsyncAgencyDirectory.from_env(sleep=sleep) as directory:
            return await use(directory)

    return lambda use: asyncio.run(main(use))


def test_lists_agents(turris: Any, run: Any) -> None:
    """All agents are listed."""
    turris.agents.add(npn="12345678")

    agents = run(lambda directory: directory.agents())

    assert [agent.npn for agent in agents] == ["12345678"]


def test_revoked_token(turris: Any, run: Any) -> None:
    """A token that is revoked early is replaced once for all tasks."""

    async def use(directory: AsyncAgencyDirectory) -> None:
        await directory.agents()
        turris.tokens.revoke_all()
        await asyncio.gather(*[directory.agents() for _ in range(5)])

    run(use)

    assert turris.token_requests == 2


def test_revoked_credentials_are_final(turris: Any, run: Any, pauses: list[float]) -> None:
    """With revoked credentials a call fails at once."""
    turris.credentials.revoke(turris.client)

    with turris.expect_refusal(status=401), pytest.raises(UnauthorizedError):
        run(lambda directory: directory.agents())

    assert len(turris.journal) == 1
    assert pauses == []


def test_invitation_after_a_lost_response(
    turris: Any, run: Any, invitation: dict[str, Any]
) -> None:
    """An invitation is repeated with the same key, so the agency is invited once."""
    turris.faults.add("invite", error="reset", processed=True)

    run(lambda directory: directory.invite_agency(**invitation))

    assert len(turris.associations) == 1


def test_reads_have_three_attempts(turris: Any, run: Any, pauses: list[float]) -> None:
    """The third failure is raised."""
    turris.faults.add("list_agents", error="reset", times=None)

    with pytest.raises(ConnectionLostError):
        run(lambda directory: directory.agents())

    assert pauses == [1.0, 2.0]


def test_another_event_loop(turris: Any, turris_time: Any) -> None:
    """One client serves many tasks of one event loop, and later those of another."""
    directory = AsyncAgencyDirectory.from_env()

    async def many_calls() -> None:
        await asyncio.gather(*(directory.agents() for _ in range(20)))
        await directory.aclose()

    asyncio.run(many_calls())
    turris_time.to_expiry()
    asyncio.run(many_calls())

    assert turris.token_requests == 2
