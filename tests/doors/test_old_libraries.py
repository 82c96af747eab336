"""A library that is too old for its door: the door stays closed, and one sentence says so."""

import sys
from importlib import metadata

import httpx
import httpx2
import pytest
from requests.adapters import HTTPAdapter

from pytest_turris import TurrisKitWarning
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.in_process import opening
from pytest_turris.doors.in_process.httpx import transports_of


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
    opening._resolved.cache_clear()
    transports_of.cache_clear()
    monkeypatch.delattr(owner, name)
    sandbox = Sandbox(Options())
    number = metadata.version(library)
    sentence = rf"^{library} {number} with .*{name}.* use turris_server"
    told = pytest.warns(TurrisKitWarning, match=sentence)
    with told as warned, opening.open_doors(sandbox):
        for other in {"httpx", "httpx2", "requests"} - {library}:
            answer = sys.modules[other].get(f"{sandbox.base_url}/.well-known/jwks.json")
            assert answer.status_code == 200
    assert len(warned) == 1


def test_a_door_that_cannot_be_imported_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that of httpx without respx; a copy without metadata has no version."""

    def missing(name: str) -> object:
        raise ImportError(f"no {name}")

    def unknown(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(opening, "_resolved", missing)
    monkeypatch.setattr(opening, "version", unknown)
    told = pytest.warns(TurrisKitWarning, match="of an unknown version with")
    with told, opening.open_doors(Sandbox(Options())):
        pass
