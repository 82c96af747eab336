"""The URL and the credentials, read from environment variables."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit


class SettingsError(ValueError):
    """A setting is missing or unsafe. The message names the variable, never its value."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings. ``repr`` omits the secrets."""

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        _check_url(self.base_url)
        for name in ("client_id", "client_secret", "webhook_secret"):
            _check_text(name, getattr(self, name))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read ``TURRIS_*``. The webhook secret is the client secret by default, as at Turris."""
        client_secret = _read(environ, "TURRIS_CLIENT_SECRET")
        return cls(
            base_url=_read(environ, "TURRIS_BASE_URL"),
            client_id=_read(environ, "TURRIS_CLIENT_ID"),
            client_secret=client_secret,
            webhook_secret=_read(environ, "TURRIS_WEBHOOK_SECRET", default=client_secret),
        )


def _read(environ: Mapping[str, str], name: str, default: str | None = None) -> str:
    value = environ.get(name, default)
    if value is None:
        raise SettingsError(f"{name} is not set")
    return value.strip()  # secret files end in a newline


def _check_text(name: str, value: str) -> None:
    if not (value and value.isascii() and value.isprintable() and " " not in value):
        raise SettingsError(f"{name} is empty or contains characters that no credential has")


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError("base_url may only have a scheme, a host and a path")
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and _is_loopback(parts.hostname or ""):
        return
    raise SettingsError("base_url must be HTTPS, except on this machine")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
