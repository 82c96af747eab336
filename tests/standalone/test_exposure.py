"""Where a server listens, and who may reach it, from the words of the command line."""

from typing import Any

import click
import pytest

from mock_server.serving.exposure import settings_of
from mock_server.serving.run import _open_page
from pytest_turris.core.wire.hosts import HOSTS

WORDS: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 0,
    "exposed": False,
    "allow": (),
    "allow_host": (),
    "public_url": "",
    "cors_origin": (),
}


def test_addresses_are_taken_over() -> None:
    """A URL without its final slash; each origin as it is."""
    origins = ("http://localhost:5173", "https://app.example")
    words = WORDS | {"public_url": "https://turris.example:8443/", "cors_origin": origins}
    settings = settings_of(**words)
    assert settings.public_url == "https://turris.example:8443"
    assert settings.cors_origins == origins


@pytest.mark.parametrize(
    ("word", "value", "message"),
    [
        ("public_url", f"https://{HOSTS['production']}", "is the real Turris"),
        ("public_url", "turris.example", "give scheme, host and port"),
        ("cors_origin", ("localhost",), "is not an origin"),
        ("host", "0.0.0.0", "other machines could read and change this sandbox"),  # noqa: S104 - refused
    ],
)
def test_what_is_not_safe_ends_the_command(
    capsys: pytest.CaptureFixture[str], word: str, value: object, message: str
) -> None:
    """With one line that names the option."""
    with pytest.raises(click.exceptions.Exit):
        settings_of(**WORDS | {word: value})
    said = capsys.readouterr().err
    assert message in said
    assert f"--{word.replace('_', '-')}" in said


@pytest.mark.parametrize("has_browser", [True, False])
def test_page_without_a_browser(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, has_browser: bool
) -> None:
    """A line says to open the address by hand."""
    opened: list[str] = []

    def opens(address: str) -> bool:
        opened.append(address)
        return has_browser

    monkeypatch.setattr("webbrowser.open", opens)
    _open_page("http://127.0.0.1:1/__sandbox__/")
    assert opened == ["http://127.0.0.1:1/__sandbox__/"]
    assert ("there is no browser here" in capsys.readouterr().err) is not has_browser
