"""All doors in process: which there are, when they open, and whose errors come out."""

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import httpx2
import pytest
import requests
import responses
import respx
from doubles.doors.clients import NO_VERIFY
from requests.adapters import HTTPAdapter

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.doors.in_process import opening as in_process
from pytest_turris.doors.in_process.opening import open_doors
from pytest_turris.doors.sockets.pool import ServerPool

MAX_SECONDS = 10
PATH = "/.well-known/jwks.json"
URL = f"https://{HOSTS['sandbox']}{PATH}"

Get = Callable[[float], int]


def get_async(client: Callable[..., httpx.AsyncClient | httpx2.AsyncClient], timeout: float) -> int:
    """The status that an async client gets."""

    async def get() -> int:
        async with client(verify=NO_VERIFY, timeout=timeout) as opened:
            return (await opened.get(URL)).status_code

    return asyncio.run(get())


GETS: dict[str, tuple[Get, tuple[type[Exception], ...]]] = {
    "httpx": (
        lambda timeout: httpx.get(URL, timeout=timeout, verify=NO_VERIFY).status_code,
        (httpx.ReadTimeout, httpx.ConnectError, httpx.ReadError),
    ),
    "httpx async": (
        lambda timeout: get_async(httpx.AsyncClient, timeout),
        (httpx.ReadTimeout, httpx.ConnectError, httpx.ReadError),
    ),
    "httpx2": (
        lambda timeout: httpx2.get(URL, timeout=timeout, verify=NO_VERIFY).status_code,
        (httpx2.ReadTimeout, httpx2.ConnectError, httpx2.ReadError),
    ),
    "httpx2 async": (
        lambda timeout: get_async(httpx2.AsyncClient, timeout),
        (httpx2.ReadTimeout, httpx2.ConnectError, httpx2.ReadError),
    ),
    "requests": (
        lambda timeout: requests.get(URL, timeout=timeout).status_code,
        (requests.ReadTimeout, requests.ConnectionError, requests.ConnectionError),
    ),
}


def authorized_async(
    client: Callable[..., httpx.AsyncClient | httpx2.AsyncClient], url: str, token: str
) -> int:
    """The status that an async client gets with a token."""

    async def get() -> int:
        async with client(verify=NO_VERIFY, headers=bearer(token)) as opened:
            return (await opened.get(url)).status_code

    return asyncio.run(get())


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"authorization": f"Bearer {token}"}


AUTHORIZED: dict[str, Callable[[str, str], int]] = {
    "httpx": lambda url, token: httpx.get(url, headers=bearer(token), verify=NO_VERIFY).status_code,
    "httpx async": lambda url, token: authorized_async(httpx.AsyncClient, url, token),
    "httpx2": lambda url, token: (
        httpx2.get(url, headers=bearer(token), verify=NO_VERIFY).status_code
    ),
    "httpx2 async": lambda url, token: authorized_async(httpx2.AsyncClient, url, token),
    "requests": lambda url, token: requests.get(url, headers=bearer(token), timeout=5).status_code,
}


@contextlib.contextmanager
def switching_often() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with all doors open."""
    sandbox = Sandbox()
    with open_doors(sandbox):
        yield sandbox


def test_fixture_says_which_doors_are_open(turris: Sandbox) -> None:
    """``turris.doors`` names the libraries that are answered."""
    assert turris.doors == ("httpx", "httpx2", "requests")


def test_closed_sandbox_has_no_doors() -> None:
    """Before the doors open and after they closed, none is named."""
    sandbox = Sandbox()
    before = sandbox.doors
    with open_doors(sandbox):
        during = sandbox.doors
    assert (before, bool(during), sandbox.doors) == ((), True, ())


def test_library_that_is_not_installed_has_no_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing library is not named, and no import hook waits for it."""
    monkeypatch.setattr(in_process, "find_spec", lambda name: name == "httpx" or None)
    in_process.installed.cache_clear()
    sandbox, before = Sandbox(), list(sys.meta_path)
    with open_doors(sandbox):
        assert sandbox.doors == ("httpx",)
        assert sys.meta_path == before
    in_process.installed.cache_clear()


@pytest.mark.parametrize("library", GETS)
def test_slow_answer_is_the_clients_own_timeout(sandbox: Sandbox, library: str) -> None:
    """A scripted delay beyond a client's max_seconds is its read timeout; nothing sleeps.

    Only what the client waits passes on the sandbox's clock.
    """
    get, (timeout, _, _) = GETS[library]
    sandbox.faults.add("jwks", delay=600, times=2)
    before = sandbox.clock.now()
    with pytest.raises(timeout):
        get(5)
    assert 5 <= (sandbox.clock.now() - before).total_seconds() < 60
    assert get(601) == 200
    assert (sandbox.clock.now() - before).total_seconds() >= 605


@pytest.mark.parametrize("library", GETS)
def test_broken_connection_is_the_clients_own_error(sandbox: Sandbox, library: str) -> None:
    """A connection that is refused or breaks is the library's own exception, then it works."""
    get, (_, refused, broken) = GETS[library]
    sandbox.faults.add("jwks", error="connect")
    sandbox.faults.add("jwks", error="reset")
    for error in (refused, broken):
        with pytest.raises(error, match=r"scripted fault"):
            get(5)
    assert get(5) == 200


@pytest.mark.parametrize("library", GETS)
def test_newest_sandbox_answers(sandbox: Sandbox, library: str) -> None:
    """Of two sandboxes with open doors the inner one answers, and the outer one after it."""
    get, _ = GETS[library]
    inner = Sandbox()
    with open_doors(inner):
        get(5)
    get(5)
    assert (len(inner.journal), len(sandbox.journal)) == (1, 1)


@pytest.mark.parametrize("library", GETS)
def test_credential_tells_whose_request_it_is(library: str) -> None:
    """Of two sandboxes each gets the requests with its tokens; the newest gets all others."""
    older, newer = Sandbox(name="older"), Sandbox(name="newer")
    with open_doors(older), open_doors(newer):
        for sandbox in (older, newer):
            token = sandbox.tokens.issue(sandbox.client).text
            assert AUTHORIZED[library](sandbox.base_url + "/v1/agents", token) == 200
        GETS[library][0](5)
    assert [older.journal.seen, newer.journal.seen] == [1, 2]


def test_threads_open_and_close_doors_at_once() -> None:
    """Threads with a sandbox each come and go: all are answered, and nothing stays patched."""
    gets = AUTHORIZED["httpx"], AUTHORIZED["requests"]
    with open_doors(Sandbox()):
        GETS["httpx"][0](5)  # httpx loads a part of itself with its first request
    before = [dict(vars(owner)) for owner in PATCHABLE]
    together = threading.Barrier(4)

    def work(name: str) -> None:
        for turn in range(25):
            own = Sandbox(name=f"{name} {turn}")
            together.wait(MAX_SECONDS)
            with open_doors(own):
                token = own.tokens.issue(own.client).text
                statuses = [get(own.base_url + "/v1/agents", token) for get in gets]
            assert (statuses, own.journal.seen) == ([200, 200], 2)

    with switching_often(), ThreadPoolExecutor(4) as pool:
        list(pool.map(work, "abcd"))
    assert [dict(vars(owner)) for owner in PATCHABLE] == before


def test_server_is_reached_beside_a_mock_of_respx(sandbox: Sandbox, pool: ServerPool) -> None:
    """While the doors are open, respx lets loopback pass, and other hosts still fail."""
    with pool.serve(sandbox) as server, respx.mock:
        assert httpx.get(server.base_url + PATH, trust_env=False).status_code == 200
        with pytest.raises(AssertionError, match="not mocked"):
            httpx.get("https://api.partner.example/", verify=NO_VERIFY)


def test_server_is_reached_beside_a_mock_of_responses(sandbox: Sandbox, pool: ServerPool) -> None:
    """A mock of ``responses`` needs a passthrough for the server."""
    with pool.serve(sandbox) as server, responses.RequestsMock() as mock:
        with pytest.raises(requests.ConnectionError):
            requests.get(server.base_url + PATH, timeout=5)
        mock.add_passthru(server.base_url)
        assert requests.get(server.base_url + PATH, timeout=5).status_code == 200


PATCHABLE = (
    httpx.HTTPTransport,
    httpx.AsyncHTTPTransport,
    httpx._transports.default,
    httpx2.HTTPTransport,
    httpx2.AsyncHTTPTransport,
    httpx2._transports.default,
    requests.Session,
    HTTPAdapter,
    responses.RequestsMock,
)


def test_nothing_stays_patched() -> None:
    """When the last of two overlapping users leaves, every library is as it was."""
    before = [dict(vars(owner)) for owner in PATCHABLE]
    first, second = open_doors(Sandbox()), open_doors(Sandbox())
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert requests.get(URL, timeout=5).status_code == 200
    second.__exit__(None, None, None)
    assert [dict(vars(owner)) for owner in PATCHABLE] == before


LATE = """
import sys
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.in_process.opening import open_doors
from pytest_turris.doors.sockets.pool import ServerPool
sandbox, before = Sandbox(), list(sys.meta_path)
with open_doors(sandbox):
    assert "{library}" not in sys.modules
    import {library}
    assert {library}.get("{url}", timeout=5).status_code == 200
    assert type({library}.__spec__.loader).__name__ == "SourceFileLoader"
    assert "exec_module" not in vars({library}.__spec__.loader)
assert sys.meta_path == before
"""


@pytest.mark.parametrize("library", ["httpx2", "requests"])
def test_late_import_finds_the_door_open(library: str) -> None:
    """No library is loaded for its door's sake; one imported during the test is answered."""
    subprocess.run([sys.executable, "-c", LATE.format(library=library, url=URL)], check=True)


HOOKS = """
import sys
from pytest_turris.doors.in_process.import_hook import ImportHook
called, before = [], list(sys.meta_path)
one, two, three = (
    ImportHook(["this"], lambda library, name=name: called.append(name)) for name in (1, 2, 3)
)
with one, two, three:
    assert "this" not in sys.modules
    import this
assert called == [1, 2, 3], called
assert "exec_module" not in vars(this.__spec__.loader)
assert sys.meta_path == before
"""


def test_hooks_that_wait_for_one_library_are_all_called() -> None:
    """Two sandboxes may be open, and two doors may wait for one mock."""
    subprocess.run([sys.executable, "-c", HOOKS], check=True, capture_output=True)


def test_module_that_does_not_exist_is_still_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a library does not hide that it is missing."""
    monkeypatch.setattr(in_process, "installed", lambda: ("requests",))
    monkeypatch.delitem(sys.modules, "requests")
    monkeypatch.setattr(sys, "meta_path", [])
    with open_doors(Sandbox()), pytest.raises(ModuleNotFoundError):
        __import__("requests")
