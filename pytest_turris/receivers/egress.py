"""Decides where a delivery may go: to this machine, or to an allowed host and port.

Every sender checks its URL here first and connects to the address that it gets, so that a name
cannot resolve to another address in between.
"""

import ipaddress
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from pytest_turris.core.errors import TurrisKitError

_PORTS = {"http": 80, "https": 443}
_NETLOC = re.compile(r"(?:[^\[\]:]+|\[[0-9a-fA-F:.]+\])(?::[0-9]*)?")
_ALLOW_HINT = re.compile(r"pass allow=\['([^']+)'\]")
_ENDS_IN_NUMBER = re.compile(r"(^|\.)([0-9]+|0[xX][0-9a-fA-F]*)\.?$")

# Metadata services of clouds that are not link-local: AWS, Google (IPv6); Alibaba, Azure, Oracle.
_METADATA = {
    ipaddress.ip_address(address)
    for address in (
        *("fd00:ec2::254", "fd20:ce::254"),
        *("100.100.100.200", "168.63.129.16", "192.0.0.192"),
    )
}

_TRANSLATED = tuple(
    map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96"))
)
"""Networks whose addresses end in an IPv4 address.

NAT64 (RFC 6052, RFC 8215), IPv4-compatible, IPv4-translated (SIIT, RFC 2765).
"""

_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
"""Its prefixes may be shorter than 96 bits; then the IPv4 address does not end the address."""

_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""What is before the IPv4 address at the end of an interface identifier (RFC 5214)."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class EgressRefused(TurrisKitError, ValueError):  # noqa: N818 - the name says what happened
    """A delivery was not sent; the message says where to, why not, and how to allow it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """A checked URL.

    Args:
        scheme: ``http`` or ``https``.
        host: The name or address in the URL, for the Host header and for TLS.
        port: The port; the scheme's default if the URL has none.
        address: The IP address to connect to.
        path: Path and query.
        others: Further addresses of the name, to try if nothing listens at the first.
    """

    scheme: str
    host: str
    port: int
    address: str
    path: str
    others: tuple[str, ...] = ()


def for_command(message: object, words: str = "use --allow") -> str:
    """Return a message with an option of a command in place of the parameter ``allow``."""
    return _ALLOW_HINT.sub(rf"{words} \1", str(message))


def check_egress(
    url: str,
    *,
    allow: Collection[str] = (),
    own_port: int = 0,
    resolved_by_client: bool = False,
) -> Destination:
    """Return where a URL leads, if a delivery may go there.

    It may be a loopback address, ``localhost`` or a name below it (RFC 6761, 6.3), or what
    ``allow`` holds as ``host:port`` (``[host]:port`` for IPv6). Other names are not looked up: a
    query would reveal them to a name server. The host is resolved once. Link-local addresses,
    metadata services and ``own_port`` on this machine are always refused. An IPv4 address comes
    first, as test servers listen there; some listen only on ``::1``, so all addresses of
    ``localhost`` are tried.

    Args:
        url: An ``http`` or ``https`` URL.
        allow: The ``host:port`` pairs outside this machine that it may lead to.
        own_port: A port of this machine that it must not lead to; 0 for none.
        resolved_by_client: Whether a client resolves the name itself, and does not connect to the
            address that is returned.

    Raises:
        EgressRefused: The URL is ambiguous, does not resolve, or leads elsewhere.
    """
    parts, host, port = _split(url)
    name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    allowed = name in {entry.lower() for entry in allow}
    addresses = _resolve(host, port, name, allowed=allowed, as_given=allowed or resolved_by_client)
    for address in addresses:
        forms = _forms(address)
        if any(one.is_link_local or one in _METADATA for one in forms):
            _refuse(name, f"{address} is link-local or a metadata service: it is never allowed")
        # A connection to the unspecified address reaches this machine.
        if port == own_port and any(one.is_loopback or one.is_unspecified for one in forms):
            _refuse(name, "that is the sandbox itself: register your own receiver")
        if not (allowed or address.is_loopback):
            _refuse(name, f"{address} is not this machine. To send there, pass allow=[{name!r}]")
    first, *others = sorted(dict.fromkeys(addresses), key=lambda address: address.version)
    return Destination(
        scheme=parts.scheme,
        host=host,
        port=port,
        address=str(first),
        others=tuple(map(str, others)),
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def connect(destination: Destination, timeout: float, source: str = "") -> socket.socket:
    """Connect to the first address of a checked URL where something listens.

    Args:
        destination: The checked URL.
        timeout: Seconds to wait for a connection.
        source: The IPv4 address to connect from; any by default.

    Raises:
        OSError: Nothing listens at any of them, or no connection was made in time.
    """
    addresses = (destination.address, *destination.others)
    for address in addresses:
        try:
            own = (source, 0) if source and ":" not in address else None
            return socket.create_connection((address, destination.port), timeout, own)
        except ConnectionRefusedError as error:
            refused = error
    where = f"{destination.host}:{destination.port}"
    named = "" if destination.host in addresses else f" ({', '.join(addresses)})"
    raise ConnectionRefusedError(f"nothing listens at {where}{named}") from refused


def _split(url: str) -> tuple[SplitResult, str, int]:
    # URL parsers disagree on these: a client could connect to another host than the checked one.
    if not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        _refuse(
            "the URL", "it contains a space, control character, backslash or non-ASCII character"
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        _refuse("the URL", "its host or port cannot be read")
    if parts.scheme not in _PORTS and "://" not in url:
        _refuse("the URL", f"it has no scheme; write http://{url.lstrip('/')}")
    if parts.scheme not in _PORTS:
        _refuse(f"scheme {parts.scheme!r}", "only http and https are possible")
    if "@" in parts.netloc or "#" in url:
        _refuse("the URL", "it contains user information or a fragment; remove them")
    if "%" not in host and not _NETLOC.fullmatch(parts.netloc):
        _refuse("the URL", "its host or port cannot be read")  # urlsplit reads [::1].a.test as ::1
    if not host or "%" in host:
        _refuse(f"host {host!r}", "it is empty or percent-encoded; write it in plain characters")
    return parts, host, _PORTS[parts.scheme] if port is None else port


def _resolve(host: str, port: int, name: str, *, allowed: bool, as_given: bool) -> list[_Address]:
    try:
        return [_unmapped(host)]
    except ValueError:
        pass
    if _ENDS_IN_NUMBER.search(host):
        _refuse(f"host {host!r}", "it is a number in disguise; write the address as 127.0.0.1")
    is_here = host.removesuffix(".").rpartition(".")[2] == "localhost"
    if not (allowed or is_here):
        _refuse(name, f"it is not this machine. To send there, pass allow=[{name!r}]")
    try:
        # As browsers do: many resolvers do not know a name below localhost, and ask a name server.
        asked = "localhost" if is_here and not as_given else host
        found = socket.getaddrinfo(asked, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # the latter for an empty or a long label
        raise EgressRefused(f"refused to send to {host}:{port}: it does not resolve") from error
    return [_unmapped(str(sockaddr[0])) for *_, sockaddr in found]


def _unmapped(text: str) -> _Address:
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def _forms(address: _Address) -> list[_Address]:
    """An address, and the IPv4 addresses to which a translator on the way may send it."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    found: list[_Address] = [address, *filter(None, (address.sixtofour, *(address.teredo or ())))]
    bits = int(address)
    isatap = bits >> 32 & 0xFFFF_FFFF in _ISATAP
    if isatap or any(address in network for network in _TRANSLATED):
        found.append(ipaddress.IPv4Address(bits & 0xFFFF_FFFF))
    if address in _LOCAL_NAT64:  # RFC 6052, 2.2: bits 64 to 71 are left out
        joined = bits >> 64 << 56 | bits & 0xFF_FFFF_FFFF_FFFF
        found += [ipaddress.IPv4Address(joined >> at & 0xFFFF_FFFF) for at in (40, 32, 24)]
    return found


def _refuse(what: str, why: str) -> NoReturn:
    raise EgressRefused(f"refused to send to {what}: {why}")
