"""Where a server listens, and who may reach it, from the words of the command line."""

import re
from typing import Any

import click
import pytest

from mock_server.serving.exposure import settings_of
from mock_server.serving.run import _open_page
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.doors.sockets.loopback import is_for, names_of_server

WORDS: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 0,
    "exposed": False,
    "allow": (),
    "allow_host": (),
    "public_url": "",
    "cors_origin": (),
}


NO_HOSTS = (
    "*", "*.example", "", " ", "turris:8791", "turris:99999", "http://turris", "turris/", "::1",
    "[turris]", "[::1]:8791", "[fe80::1%eth0]", "me@turris", "b\u00fccher.test", "turris\n",
)  # fmt: skip


def test_addresses_are_taken_over() -> None:
    """A URL without its final slash; each origin as browsers send it."""
    origins = (
        "http://localhost:5173",
        "https://App.example",
        "http://localhost:80",
        "http://[::1]",
    )
    words = WORDS | {"public_url": "https://turris.example:8443/", "cors_origin": origins}
    settings = settings_of(**words)
    assert settings.public_url == "https://turris.example:8443"
    assert settings.cors_origins == (
        "http://localhost:5173", "https://app.example", "http://localhost", "http://[::1]",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "value", "message"),
    [
        ("public_url", f"https://{HOSTS['production']}", "is the real Turris"),
        ("public_url", "turris.example", "give scheme, host and port"),
        ("public_url", "http://[", "give scheme, host and port"),
        ("public_url", "http://a:99999", "give scheme, host and port"),
        ("public_url", "http://a b", "give scheme, host and port"),
        ("public_url", "http://*.example", "give scheme, host and port"),
        *(
            ("allow_host", ("turris", name), "is not a host as clients send it")
            for name in NO_HOSTS
        ),
        ("cors_origin", ("localhost",), "is not an origin"),
        ("cors_origin", ("http://localhost:99999",), "is not an origin"),
        ("cors_origin", ("http://localhost:5173/app",), "is not an origin"),
        ("cors_origin", ("https://a@b.example",), "is not an origin"),
        ("cors_origin", ("null",), "is not an origin"),
        ("cors_origin", ("http://*.example",), "is not an origin"),
        ("cors_origin", ("http://a.example#b",), "is not an origin"),
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


FROM_ELSEWHERE: list[dict[str, Any]] = [
    {"host": "192.0.2.1", "exposed": True},
    {"allow_host": ("abc.example",)},
    {"allow_host": ("localhost", "abc.example")},
    {"allow_host": ("evillocalhost",)},
    {"allow_host": ("localhost.evil.example",)},
    {"allow_host": ("127.evil.example",)},
    {"allow_host": ("127.0.0.1.evil.example",)},
    {"public_url": "https://evillocalhost"},
    {"public_url": "https://abc.example"},
    {"public_url": "https://192.0.2.1:8443"},
]
FROM_HERE: list[dict[str, Any]] = [
    {},
    {"allow_host": ("localhost", "LOCALHOST.", "127.0.0.2", "[::1]", "app.localhost")},
    {"allow_host": (HOSTS["sandbox"],)},
    {"public_url": "http://localhost:8791"},
    {"public_url": "https://[::1]:8791"},
]


@pytest.mark.parametrize(
    ("words", "host"),
    [
        ({"allow_host": ("my_app-1.example",)}, "my_app-1.example:8791"),
        ({"allow_host": ("[fd00::1]",)}, "[FD00::1]:8791"),
        ({"host": "fd00::1", "exposed": True}, "[fd00::1]:8791"),
        ({"public_url": "https://[fd00::1]:8443"}, "[fd00::1]:8443"),
        ({"public_url": "https://b\u00fccher.example"}, "xn--bcher-kva.example"),
    ],
)
def test_what_clients_send_is_accepted(words: dict[str, Any], host: str) -> None:
    """In the form in which it is in their URL, and then in Host."""
    names = settings_of(**WORDS | words).names
    assert is_for(host, names_of_server(names))


@pytest.mark.parametrize("words", FROM_ELSEWHERE)
def test_exposure_needs_a_long_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: dict[str, Any]
) -> None:
    """By an address, by another name or by a tunnel; a token that is made is long enough."""
    monkeypatch.setenv("TURRIS_CONTROL_TOKEN", "x" * 31 + "\n")
    with pytest.raises(click.exceptions.Exit):
        settings_of(**WORDS | words)
    assert "TURRIS_CONTROL_TOKEN has fewer than 32 characters" in capsys.readouterr().err
    for token in ("", "x" * 32):
        monkeypatch.setenv("TURRIS_CONTROL_TOKEN", token)
        assert settings_of(**WORDS | words).control_token == token
        said = capsys.readouterr().err
        assert "other machines can read and change this sandbox" in said
        assert not re.search("--allow-host localhost[,:]", said)


@pytest.mark.parametrize("words", FROM_HERE)
def test_names_of_this_machine_expose_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: dict[str, Any]
) -> None:
    """A short token is enough, and nothing is warned of."""
    monkeypatch.setenv("TURRIS_CONTROL_TOKEN", "x")
    assert settings_of(**WORDS | words).control_token == "x"
    assert capsys.readouterr().err == ""


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
