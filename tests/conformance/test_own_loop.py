"""Event loops of the harness: one of the same library, and the client's connections in order."""

import asyncio
from contextlib import closing

import anyio
import httpx
import pytest
import sniffio

from pytest_turris.conformance.call_result import CallResult
from pytest_turris.conformance.driver import Perform, ProbeSteps, adrive
from pytest_turris.conformance.own_loop import OwnLoops
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.time_travel.travel import TimeTravel


def test_client_can_be_closed_afterwards(turris_server: Server) -> None:
    """After ``asyncio.run``, a connection that was kept cannot be closed: its loop is not there."""
    client = httpx.AsyncClient()

    async def call() -> int:
        return (await client.get(f"{turris_server.base_url}/.well-known/jwks.json")).status_code

    with closing(OwnLoops()) as loops:
        assert loops.run(call) == 200
    asyncio.run(client.aclose())
    assert client.is_closed


def test_connection_is_of_no_use_after_its_loop(turris_server: Server) -> None:
    """As after ``asyncio.run``: what a later loop does with it fails."""
    client = httpx.AsyncClient()

    async def call() -> int:
        return (await client.get(f"{turris_server.base_url}/.well-known/jwks.json")).status_code

    with closing(OwnLoops()) as loops:
        loops.run(call)
        with pytest.raises(RuntimeError, match="Event loop is closed"):
            loops.run(call)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_second_loop_is_of_the_same_library(backend: str, turris_time: TimeTravel) -> None:
    """A client that a test calls on trio is called on trio again."""

    async def library() -> str:
        return sniffio.current_async_library()

    def steps() -> ProbeSteps[list[CallResult]]:
        with closing(OwnLoops()) as loops:
            return (yield Perform((library, library), at_once=True, loops=loops))

    found = anyio.run(adrive, steps(), turris_time, backend=backend)
    assert [one.value for one in found] == [backend] * 2
