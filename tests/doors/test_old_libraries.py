"""A library that is too old for its door: the door stays closed, and one sentence says so."""

from importlib import metadata

import pytest

from pytest_turris import TurrisKitWarning
from pytest_turris.doors.in_process import opening


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
