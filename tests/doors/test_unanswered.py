"""What the guard says to do about an attempt: it names the client, and fits what is active."""

import re
import threading
from collections.abc import Callable, Iterator

import pytest

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.doors.in_process.opening import open_doors
from pytest_turris.doors.in_process.unanswered import what_to_do

HOST = HOSTS["sandbox"]
ANSWERED = "The fixture 'turris' answers httpx, httpx2 and requests in process, but not "


@pytest.fixture
def _doors() -> Iterator[None]:
    with open_doors(Sandbox()):
        yield


def asked_by(*modules: str) -> str:
    """The advice to code that these modules call, the first of them the outermost."""
    ask: Callable[[], str] = lambda: what_to_do(HOST, ())  # noqa: E731 - it is wrapped below
    for module in reversed(modules):
        names = {"__name__": module, "ask": ask}
        ask = eval("lambda: ask()", names)  # noqa: S307 - a call from a module of that name
    return ask()


@pytest.mark.usefixtures("_doors")
@pytest.mark.parametrize(
    ("modules", "client"),
    [
        (("niquests.api", "niquests.sessions", "urllib3.connection"), "niquests"),
        (("urllib.request", "http.client"), "urllib.request"),
        (("http.server", "http.client"), "http.client"),
        (("urllib3.poolmanager",), "urllib3"),
        (("urllib.parse", "requests_of_mine"), "this client"),
    ],
)
def test_client_that_is_not_answered_is_named(modules: tuple[str, ...], client: str) -> None:
    """The library that the application called, not those that it is built on."""
    words = f"{ANSWERED}{client}. Fix: use the fixture 'turris_server', "
    assert asked_by(*modules).startswith(words)


@pytest.mark.usefixtures("_doors")
def test_client_of_asyncio_is_recognised() -> None:
    """Its names are resolved in a thread, where no call of the client is."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(what_to_do(HOST, ())), name="asyncio_0")
    thread.start()
    thread.join()
    assert found[0].startswith(f"{ANSWERED}a client of asyncio such as aiohttp. Fix: ")


@pytest.mark.usefixtures("_doors")
@pytest.mark.parametrize(
    ("modules", "who"),
    [
        (("httpx._client", "vcr.stubs.httpx_stubs", "httpcore"), "vcr"),
        (("requests.api", "urllib3"), "a mock that began later, or a door that is closed"),
    ],
)
def test_mock_in_between_is_named(modules: tuple[str, ...], who: str) -> None:
    """A library with a door is not called a client without one."""
    words = rf"^{modules[0].partition('.')[0]} is answered in process, but {who}.* kept "
    assert re.match(words, asked_by(*modules))


@pytest.mark.usefixtures("_doors")
def test_dot_at_the_end_is_named() -> None:
    """httpx, for one, then finds no certificate for the host, also that of the real Turris."""
    assert "Fix: leave the dot out" in what_to_do(f"{HOST}.", ())


@pytest.mark.usefixtures("_doors")
def test_another_host_of_turris_is_named() -> None:
    """The sandbox answers for the two documented hosts."""
    assert f"answers for {HOSTS['production']} and {HOST} only" in what_to_do(
        "app.turrisfi.com", ()
    )


def test_server_is_pointed_at() -> None:
    """Without a door but with a server, the address is what is wrong."""
    assert "point the client's base URL at turris_server.base_url" in what_to_do(
        HOST, ("turris_server",)
    )


def test_fixtures_are_named_where_there_are_none() -> None:
    """As a hint to what answers."""
    assert what_to_do(HOST, ("tmp_path",)).startswith("Ask for the fixture 'turris' (")
