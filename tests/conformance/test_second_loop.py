"""TC-69: what a client keeps of an event loop that is closed."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable

import anyio
import httpx
import pytest

from pytest_turris import CheckWarning
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel


class OnePool:
    """One pool of connections, and a token, for all event loops."""

    def __init__(self) -> None:
        self._pool = self.pool()
        self._token = ""
        self._until = 0.0
        self._locks: dict[object, asyncio.Lock] = {}

    def lock(self) -> asyncio.Lock:
        """One for each event loop."""
        return self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    def http(self) -> httpx.AsyncClient:
        """What the running event loop uses."""
        return self._pool

    @staticmethod
    def pool() -> httpx.AsyncClient:
        """A pool of connections."""
        return httpx.AsyncClient(base_url=os.environ["TURRIS_BASE_URL"])

    async def renew(self) -> None:
        """Ask for a token."""
        names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
        credentials = {name: os.environ[variable] for name, variable in names.items()}
        answer = await self.http().post("/v1/auth/jwt", json=credentials)
        data = answer.raise_for_status().json()["data"]
        # A client reads the time itself, and renews five minutes before the expiry.
        self._token, self._until = data["accessToken"], time.time() + data["expiresIn"] - 300

    async def close(self) -> None:
        """End the connections."""
        await self._pool.aclose()

    async def agents(self) -> object:
        """Ask for the agents."""
        async with self.lock():
            if time.time() >= self._until:
                await self.renew()
        headers = {"authorization": f"Bearer {self._token}"}
        return (await self.http().get("/v1/agents", headers=headers)).raise_for_status().json()


class Refresher(OnePool):
    """A lock that belongs to an event loop, which only the first calls wait for: a task renews."""

    def __init__(self) -> None:
        super().__init__()
        self._only_lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def agents(self) -> object:
        """Ask for the agents, and for tokens in the background."""
        async with contextlib.AsyncExitStack() as held:
            if time.time() >= self._until:
                await held.enter_async_context(self._only_lock)
            if time.time() >= self._until:
                await self.renew()
                self._task = asyncio.create_task(self._renew_in_time())
        return await super().agents()

    async def _renew_in_time(self) -> None:
        while True:
            await asyncio.sleep(self._until - time.time())
            await self.renew()


class PerLoop(OnePool):
    """A pool and a lock for each event loop."""

    def __init__(self) -> None:
        super().__init__()
        self._pools: dict[object, httpx.AsyncClient] = {}

    async def close(self) -> None:
        """End all of them."""
        for pool in (self._pool, *self._pools.values()):
            await pool.aclose()

    def http(self) -> httpx.AsyncClient:
        """That of the running event loop."""
        return self._pools.setdefault(asyncio.get_running_loop(), self.pool())


def judged(make: Callable[[], OnePool], turris: Sandbox, turris_time: TimeTravel) -> str:
    """The outcome of TC-69 for such a client."""

    async def run() -> str:
        client = make()
        try:
            return str((await TokenCase("TC-69", turris, turris_time).arun(client.agents)).outcome)
        finally:
            await client.close()

    return anyio.run(run)


@pytest.mark.usefixtures("turris_server")
def test_connection_of_a_closed_loop_is_found(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Over a socket, a pool keeps connections that only their own loop can use."""
    with pytest.warns(CheckWarning, match="after the first was closed: RuntimeError"):
        assert judged(OnePool, turris, turris_time) == "warned"


def test_lock_of_a_closed_loop_is_found(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A task that renews ends with its loop, so that the calls of the next one need the lock."""
    with pytest.warns(CheckWarning, match="is bound to a different event loop"):
        assert judged(Refresher, turris, turris_time) == "warned"


@pytest.mark.usefixtures("turris_server")
def test_client_that_keeps_nothing_of_a_loop_passes(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """The connections of the first loop do it no harm."""
    assert judged(PerLoop, turris, turris_time) == "passed"
