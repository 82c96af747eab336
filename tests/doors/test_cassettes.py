"""Cassettes of vcrpy next to the doors: they play other hosts, and do not record the sandbox."""

import asyncio
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
import requests
from doubles.doors import cassette_like
from doubles.doors.cassette_like import Cassette
from urllib3.connection import HTTPConnection

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.doors.in_process import requests as requests_doors
from pytest_turris.doors.in_process.opening import open_doors

JWKS = f"https://{HOSTS['sandbox']}/.well-known/jwks.json"
OTHER = "https://api.partner.example/ping"


@pytest.fixture(params=["cassette first", "door first"])
def cassette(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cassette]:
    """A cassette that plays, in one test begun before the doors are opened, in one after."""
    monkeypatch.setitem(sys.modules, "vcr.stubs.httpx_stubs", cassette_like)
    cassette = Cassette({OTHER: "pong"})
    contexts = [cassette, open_doors(Sandbox())]
    if request.param == "door first":
        contexts.reverse()
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        yield cassette


def get_async(url: str) -> httpx.Response:
    """The answer to an async client."""

    async def get() -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.get(url)

    return asyncio.run(get())


@pytest.mark.parametrize("get", [httpx.get, get_async], ids=["sync", "async"])
def test_sandbox_answers_next_to_a_cassette(
    cassette: Cassette, get: Callable[[str], httpx.Response]
) -> None:
    """In either order; the cassette sees requests to other hosts alone."""
    assert "keys" in get(JWKS).json()
    assert get(OTHER).text == "pong"
    assert cassette.asked == [OTHER]


@pytest.mark.usefixtures("cassette")
def test_requests_is_answered_next_to_a_cassette() -> None:
    """A cassette compares connections with the class of their pool: ours has one."""
    assert "keys" in requests.get(JWKS, timeout=5).json()


@pytest.mark.usefixtures("cassette")
def test_transport_of_the_user_keeps_its_requests() -> None:
    """A cassette replaces the methods of other transports too; those the door leaves alone."""
    mine = httpx.MockTransport(lambda _: httpx.Response(418))
    with httpx.Client(transport=mine) as client:
        assert client.get(JWKS).status_code == 418


def test_door_that_is_made_during_a_cassette_outlives_it() -> None:
    """Its connection is derived from urllib3's own, not from what the cassette has put there."""
    spec = importlib.util.spec_from_file_location("made_later", requests_doors.__file__)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    with Cassette({}):
        spec.loader.exec_module(made)
    assert made.SandboxConnection.__base__ is HTTPConnection
