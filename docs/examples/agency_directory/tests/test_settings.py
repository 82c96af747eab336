"""Settings from environment variables."""

import pytest

from agency_directory import Settings, SettingsError

ENVIRON = {
    "TURRIS_BASE_URL": "https://public.api.sandbox.turrisfi.com",
    "TURRIS_CLIENT_ID": "m2m-client-abc123",
    "TURRIS_CLIENT_SECRET": "not-a-real-secret",
    "TURRIS_WEBHOOK_SECRET": "not-a-real-key",
}


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost"])
def test_plain_http_within_this_machine(url: str) -> None:
    """A sandbox on the loopback interface needs no certificate."""
    settings = Settings.from_env(ENVIRON | {"TURRIS_BASE_URL": url})

    assert url == settings.base_url


@pytest.mark.parametrize(
    "url",
    [
        "http://public.api.live.turrisfi.com",
        "http://10.0.0.1",
        "http://127.0.0.1.turrisfi.com",
        "http://localhost@turrisfi.com",
        "https://user:password@public.api.live.turrisfi.com",
        "ftp://localhost",
        "public.api.live.turrisfi.com",
        "https://",
        "",
    ],
)
def test_anything_else_is_https(url: str) -> None:
    """Credentials do not leave this machine unencrypted."""
    with pytest.raises(SettingsError, match="base_url"):
        Settings.from_env(ENVIRON | {"TURRIS_BASE_URL": url})


@pytest.mark.parametrize("name", ["TURRIS_BASE_URL", "TURRIS_CLIENT_ID", "TURRIS_CLIENT_SECRET"])
def test_missing(name: str) -> None:
    """The error names a missing variable."""
    environ = {key: value for key, value in ENVIRON.items() if key != name}

    with pytest.raises(SettingsError, match=f"{name} is not set"):
        Settings.from_env(environ)


@pytest.mark.parametrize("value", ["", "  ", "top\nsecret", "top secret", "top-secret\u2019"])
def test_unusable_secret(value: str) -> None:
    """A value that cannot be a secret is refused and not shown."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(ENVIRON | {"TURRIS_WEBHOOK_SECRET": value})

    assert "top" not in str(caught.value)


def test_trailing_newline() -> None:
    """A secret that was read from a file may end in a newline."""
    settings = Settings.from_env(ENVIRON | {"TURRIS_CLIENT_SECRET": "not-a-real-secret\n"})

    assert settings.client_secret == "not-a-real-secret"


def test_webhook_secret_by_default() -> None:
    """The webhook secret is the client secret by default, as the guide says."""
    environ = {key: value for key, value in ENVIRON.items() if key != "TURRIS_WEBHOOK_SECRET"}

    assert Settings.from_env(environ).webhook_secret == "not-a-real-secret"


def test_repr() -> None:
    """Settings can be logged: ``repr`` omits the secrets."""
    shown = repr(Settings.from_env(ENVIRON))

    assert "m2m-client-abc123" in shown
    assert "not-a-real" not in shown
