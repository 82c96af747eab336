"""An event loop of the harness leaves the client's connections in order."""

import asyncio

import httpx

from pytest_turris.conformance.own_loop import run_in_own_loop
from pytest_turris.doors.sockets.pool import Server


def test_client_can_be_closed_afterwards(turris_server: Server) -> None:
    """After ``asyncio.run``, a connection that was kept cannot be closed: its loop is not there."""
    client = httpx.AsyncClient()

    async def call() -> int:
        return (await client.get(f"{turris_server.base_url}/.well-known/jwks.json")).status_code

    assert run_in_own_loop(call) == 200
    asyncio.run(client.aclose())
    assert client.is_closed
