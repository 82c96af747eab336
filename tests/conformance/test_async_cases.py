"""The same cases for async clients: ``arun``."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from doubles.clients.good_client import GoodClient
from doubles.clients.stacks import AsyncHttpx

from pytest_turris.conformance.driver import attempt
from pytest_turris.conformance.observation import recorder
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.findings.errors import NotObservedError
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

Kind = Callable[[str, Sandbox, TimeTravel], Any]


@pytest.mark.turris(time_engine="time-machine")
@pytest.mark.parametrize(("kind", "name"), [(TokenCase, "TC-12"), (HostileCase, "AR-12")])
def test_good_client_passes(
    turris: Sandbox, turris_time: TimeTravel, kind: Kind, name: str
) -> None:
    """The verdict is returned, as by ``run``."""

    async def main() -> str:
        client = AsyncHttpx(GoodClient())
        try:
            return str((await kind(name, turris, turris_time).arun(client.call)).outcome)
        finally:
            await client.aclose()

    assert asyncio.run(main()) == "passed"


@pytest.mark.parametrize(("kind", "name"), [(TokenCase, "TC-12"), (HostileCase, "AR-12")])
def test_ignored_case_makes_no_call(
    turris: Sandbox, turris_time: TimeTravel, kind: Kind, name: str
) -> None:
    """An ignored case skips its test with the reason."""
    case = kind(name, turris, turris_time)
    case.ignore(name, reason="not here")
    with pytest.raises(NotObservedError, match=f"{name} is ignored: not here"):
        asyncio.run(case.arun(lambda: pytest.fail("called")))


@pytest.mark.turris(time_engine="time-machine")
def test_flood_over_a_socket_is_answered_by_resets(
    turris: Sandbox, turris_time: TimeTravel, turris_server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A client in an event loop cannot be stopped in its thread: its requests fail instead."""
    monkeypatch.setattr(recorder, "_RUNAWAY", 3)
    failures: list[str] = []

    async def call() -> None:
        for _ in range(6):
            try:
                async with httpx.AsyncClient() as http:
                    await http.get(f"{turris_server.base_url}/.well-known/jwks.json")
            except httpx.HTTPError as error:
                failures.append(type(error).__name__)

    async def main() -> str:
        return str((await TokenCase("TC-34", turris, turris_time).arun(call)).outcome)

    assert asyncio.run(main()) == "passed"
    assert len(failures) == 9


def test_interrupt_is_not_a_result_of_the_client(turris: Sandbox) -> None:
    """Ctrl-C stops the run."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(interrupted, turris.clock.now)
