"""Where a server listens and which clients may reach it, from the command line."""

import ipaddress
import os
from urllib.parse import urlsplit

import click

from mock_server.serving.cors import is_origin
from mock_server.serving.server import CONTROL_TOKEN, ServerSettings
from mock_server.shell.mistakes import fail
from pytest_turris.core.wire.hosts import is_turris

_SHORTEST_TOKEN = 32


def settings_of(
    *,
    host: str,
    port: int,
    exposed: bool,
    allow: tuple[str, ...],
    allow_host: tuple[str, ...],
    public_url: str,
    cors_origin: tuple[str, ...],
    **_: object,
) -> ServerSettings:
    """Return the settings that the command line gives; end the command if they are not safe."""
    token = os.environ.get(CONTROL_TOKEN, "")
    if not is_loopback(host):
        _check_exposure(host, token, allowed=exposed)
    for origin in cors_origin:
        if not is_origin(origin):
            fail(f"--cors-origin {origin!r} is not an origin, such as http://localhost:5173")
    return ServerSettings(
        host=host,
        port=port,
        allow=allow,
        allow_hosts=allow_host,
        public_url=_checked_url(public_url) if public_url else "",
        cors_origins=cors_origin,
        control_token=token,
    )


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked_url(url: str) -> str:
    address = urlsplit(url)
    is_plain = not (address.path.strip("/") or address.query or address.username)
    if address.scheme not in ("http", "https") or not address.hostname or not is_plain:
        fail(f"--public-url {url!r}: give scheme, host and port, such as https://turris.example")
    if is_turris(address.netloc):
        fail(f"--public-url: {address.hostname} is the real Turris")
    return f"{address.scheme}://{address.netloc}"


def _check_exposure(host: str, token: str, *, allowed: bool) -> None:
    """Warn what --host exposes; refuse it without the flag, or with a token that can be guessed."""
    if not allowed:
        fail(
            f"--host {host}: other machines could read and change this sandbox. "
            "To allow that, add --i-understand-network-exposure"
        )
    if token and len(token) < _SHORTEST_TOKEN:
        fail(
            f"--host {host}: {CONTROL_TOKEN} has fewer than {_SHORTEST_TOKEN} characters. "
            "Take a longer one, or none: then the sandbox makes one"
        )
    click.echo(
        f"# --host {host}: other machines can read and change this sandbox. It holds fakes only; "
        "put no real data into it",
        err=True,
    )
