"""A library that is too old or too new for its door: it stays closed, and one sentence says so."""

import asyncio
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import httpx
import httpx2
import pytest
import requests
from requests.adapters import HTTPAdapter

from pytest_turris import TurrisKitWarning
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.in_process import opening
from pytest_turris.doors.in_process import requests as requests_doors
from pytest_turris.doors.in_process.httpx import transports_of
from pytest_turris.doors.in_process.requests import SandboxConnection, requests_door
from pytest_turris.doors.in_process.trust import SharedContext


@pytest.fixture(autouse=True)
def _not_tried_yet() -> Iterator[None]:
    """No door remembers that it was tried out, nor which library it was made for."""
    remembered = (opening._resolved, transports_of, requests_doors._try_out)
    for function in remembered:
        function.cache_clear()
    yield
    for function in remembered:
        function.cache_clear()


def versions(monkeypatch: pytest.MonkeyPatch, found: str) -> tuple[str, ...]:
    """The libraries with a door, as if that version of requests were installed."""
    monkeypatch.setattr(opening, "version", lambda _: found)
    return opening.installed.__wrapped__()


@pytest.mark.parametrize("old", ["2.31.0", "2.32.1"])
def test_old_requests_has_no_door(monkeypatch: pytest.MonkeyPatch, old: str) -> None:
    """The warning names the version that is needed, and the extra that installs it."""
    with pytest.warns(TurrisKitWarning, match=rf"requests {old} .* 2\.32\.2 .*\[requests\]"):
        found = versions(monkeypatch, old)
    assert "requests" not in found
    assert "httpx" in found


@pytest.mark.parametrize("new", ["2.32.2", "2.33.0.dev1", "3.0"])
def test_new_requests_has_one(monkeypatch: pytest.MonkeyPatch, new: str) -> None:
    """From the version on whose connections the door replaces."""
    assert "requests" in versions(monkeypatch, new)


def test_a_copy_without_metadata_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendored copy has no version that can be read."""

    def unknown(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(opening, "version", unknown)
    assert "requests" in opening.installed.__wrapped__()


@pytest.mark.parametrize(
    ("library", "owner", "name"),
    [
        ("httpx", httpx, "AsyncHTTPTransport"),
        ("httpx2", httpx2, "HTTPTransport"),
        ("requests", HTTPAdapter, "get_connection_with_tls_context"),
    ],
)
def test_renamed_internals_close_one_door(
    monkeypatch: pytest.MonkeyPatch, library: str, owner: object, name: str
) -> None:
    """A later version may be made in another way: one sentence names it, and the rest works."""
    monkeypatch.delattr(owner, name)
    assert_one_door_is_closed(library, name)


@pytest.mark.parametrize(
    ("library", "owner", "name"),
    [
        ("httpx", httpx, "Response"),
        ("httpx2", httpx2, "Response"),
        ("requests", requests_doors, "HTTPResponse"),
    ],
)
def test_changed_internals_close_one_door(
    monkeypatch: pytest.MonkeyPatch, library: str, owner: object, name: str
) -> None:
    """What no longer takes what the door gives shows when the door opens, not in a test's calls."""

    def changed(*args: object, **kwargs: object) -> None:
        raise TypeError(f"{name} takes something else")

    monkeypatch.setattr(owner, name, changed)
    assert_one_door_is_closed(library, name)


def assert_one_door_is_closed(library: str, name: str) -> None:
    """One warning names the library and what is wrong; the other libraries are answered."""
    sandbox = Sandbox(Options())
    number = metadata.version(library)
    sentence = rf"^{library} {number} with .*{name}.* use turris_server"
    told = pytest.warns(TurrisKitWarning, match=sentence)
    with told as warned, opening.open_doors(sandbox):
        for other in {"httpx", "httpx2", "requests"} - {library}:
            answer = sys.modules[other].get(f"{sandbox.base_url}/.well-known/jwks.json")
            assert answer.status_code == 200
    assert len(warned) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_connection_takes_more_than_it_reads(monkeypatch: pytest.MonkeyPatch, stream: bool) -> None:
    """A package in the place of urllib3 passes more arguments, as urllib3-future does."""
    request, getresponse = SandboxConnection.request, SandboxConnection.getresponse

    def more(connection: SandboxConnection, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the original
        request(connection, *args, on_upload_body=None, **kwargs)

    def promised(connection: SandboxConnection, *args: Any) -> object:  # noqa: ANN401 - as the original
        return getresponse(connection, *args, police_officer=None, promise=None)

    monkeypatch.setattr(SandboxConnection, "request", more)
    monkeypatch.setattr(SandboxConnection, "getresponse", promised)
    sandbox = Sandbox(Options())
    with requests_door(sandbox.handle):
        answer = requests.get(f"{sandbox.base_url}/.well-known/jwks.json", stream=stream, timeout=5)
        assert "keys" in answer.json()


def test_transport_passes_on_what_it_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later httpx may call its transports with more; other hosts get all of it."""
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _, *args, **kw: (args, kw))
    request = httpx.Request("GET", "https://api.partner.example/")
    transport: Any = httpx.HTTPTransport()
    with transports_of(httpx).patch:
        assert transport.handle_request(request, 1, more=2) == ((request, 1), {"more": 2})


def test_async_transport_passes_on_what_it_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is for an async client."""

    async def original(_: object, *args: object, **kw: object) -> object:
        return args, kw

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", original)
    request = httpx.Request("GET", "https://api.partner.example/")
    transport: Any = httpx.AsyncHTTPTransport()
    with transports_of(httpx).patch:
        found = asyncio.run(transport.handle_async_request(request, 1, more=2))
    assert found == ((request, 1), {"more": 2})


def test_maker_of_contexts_gets_what_it_is_called_with() -> None:
    """A context that is asked for in a later way is made as usual, and not shared."""
    make: Any = lambda *args, **kwargs: (args, kwargs)  # noqa: E731 - a stand-in of any type
    found: Any = SharedContext().wrap(make)(True, more=1)
    assert found == ((True,), {"more": 1})
