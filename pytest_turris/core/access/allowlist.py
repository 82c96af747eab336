"""Allowlists of addresses; an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) counts as IPv4."""

import ipaddress
from collections.abc import Iterable

from pytest_turris.core.errors import TurrisKitError

_MAPPED_BITS = 96


class AllowlistError(TurrisKitError, ValueError):
    """An entry of an allowlist is neither an IP address nor a network in CIDR form."""


def network(entry: str) -> str:
    """An IP address, or a network in CIDR form, as a network.

    Raises:
        AllowlistError: It is neither.
    """
    try:
        found = ipaddress.ip_network(entry)
    except ValueError as error:
        raise AllowlistError(str(error)) from None
    mapped = getattr(found.network_address, "ipv4_mapped", None)
    if mapped and found.prefixlen >= _MAPPED_BITS:
        return f"{mapped}/{found.prefixlen - _MAPPED_BITS}"
    return str(found)


def networks(entries: Iterable[str]) -> tuple[str, ...]:
    """An allowlist as networks.

    Raises:
        AllowlistError: An entry is neither an address nor a network, or there is one text alone.
    """
    if isinstance(entries, str):
        raise AllowlistError(f"allowed={entries!r} is a text; give a list: [{entries!r}]")
    return tuple(map(network, entries))


def is_within(client_ip: str, networks: Iterable[str]) -> bool:
    """Whether the address is in one of the networks; False for text that is not an address."""
    try:
        address = ipaddress.ip_address(client_ip)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ipaddress.ip_network(net) for net in networks)
