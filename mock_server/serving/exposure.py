"""Where a server listens and which clients may reach it, from the command line."""

import ipaddress
from collections.abc import Sequence

from mock_server.serving.cors import is_origin, origin_of
from mock_server.serving.server import ServerSettings, in_url
from mock_server.shell.mistakes import fail
from mock_server.shell.printing import say
from pytest_turris.core.wire.base_url import split_base_url
from pytest_turris.core.wire.hosts import is_host, is_turris
from pytest_turris.process.control_token import CONTROL_TOKEN, ControlTokenError, control_token

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
    token = _token()
    if not (exposed or is_loopback(host)):
        fail(
            f"--host {host}: other machines could read and change this sandbox. "
            "To allow that, add --i-understand-network-exposure"
        )
    public_url = _checked_url(public_url) if public_url else ""
    _check_names(allow_host)
    _check_exposure(_exposing(host, allow_host, public_url), token)
    return ServerSettings(
        host=host,
        port=port,
        allow=allow,
        allow_hosts=allow_host,
        public_url=public_url,
        cors_origins=tuple(_checked_origin(one) for one in cors_origin),
        control_token=token,
    )


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token() -> str:
    try:
        return control_token()
    except ControlTokenError as error:
        fail(str(error))


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not is_host(name):
            fail(
                f"--allow-host {name!r} is not a host as clients send it, such as turris or "
                "[fd00::1]: give each without scheme, port and wildcards"
            )


def _checked_url(url: str) -> str:
    address = split_base_url(url)
    is_plain = address and not (address.path.strip("/") or address.query or address.username)
    if address is None or not is_plain or not is_host(in_url(address.hostname or "")):
        fail(f"--public-url {url!r}: give scheme, host and port, such as https://turris.example")
    if is_turris(address.netloc):
        fail(f"--public-url: {address.hostname} is the real Turris")
    return f"{address.scheme}://{address.netloc}"


def _checked_origin(text: str) -> str:
    parts = split_base_url(text)
    is_bare = parts and parts.username is None and not any(parts[2:])
    origin = origin_of(text) if is_bare else ""
    if not is_origin(origin):
        fail(f"--cors-origin {text!r} is not an origin, such as http://localhost:5173")
    return origin


def _exposing(host: str, allow_host: Sequence[str], public_url: str) -> tuple[str, ...]:
    """The options by which other machines can reach the server, as they were given."""
    found = [] if is_loopback(host) else [f"--host {host}"]
    found += [f"--allow-host {name}" for name in allow_host if not _is_here(name)]
    public = split_base_url(public_url)
    if public and not _is_here(public.hostname or ""):
        found.append(f"--public-url {public_url}")
    return tuple(found)


def _is_here(name: str) -> bool:
    """Whether clients use a name for their own machine, or for Turris, which is sent there too."""
    bare = name.lower().removeprefix("[").removesuffix("]").removesuffix(".")
    return is_loopback(bare) or bare.endswith(".localhost") or is_turris(bare)


def _check_exposure(exposing: Sequence[str], token: str) -> None:
    """Warn what the options expose; refuse a token that can be guessed."""
    if not exposing:
        return
    options = ", ".join(exposing)
    if token and len(token) < _SHORTEST_TOKEN:
        fail(
            f"{options}: {CONTROL_TOKEN} has fewer than {_SHORTEST_TOKEN} characters. "
            "Take a longer one, or none: then the sandbox makes one"
        )
    say(
        f"# {options}: other machines can read and change this sandbox. It holds fakes only; "
        "put no real data into it",
        err=True,
    )
