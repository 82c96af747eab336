"""Host names: the two documented ones, this machine's, and decoys that never resolve."""

import ipaddress
import re
from functools import lru_cache
from typing import Literal

Environment = Literal["sandbox", "production"]

HOSTS: dict[Environment, str] = {
    "production": "public.api.live.turrisfi.com",
    "sandbox": "public.api.sandbox.turrisfi.com",
}

LOOPBACK = "127.0.0.1"
"""The address of this machine: where requests come from unless something says otherwise."""

LOOPBACK_HOSTS = frozenset({LOOPBACK, "::1", "localhost"})
"""How a URL names this machine, without the brackets of an IPv6 address."""

DECOY_DOMAIN = ".decoy.invalid"
"""The domain of hostile redirects and links; its names never resolve (RFC 6761)."""

LOOK_ALIKE = "not-turrisfi.com"
"""Another's domain, which ends like that of the API. Answered in process only."""

_NAME = re.compile("[A-Za-z0-9_.-]+")

_ENVIRONMENTS: dict[str, Environment] = {host: name for name, host in HOSTS.items()}


def is_host(text: str) -> bool:
    """Whether clients can send a text as the host of a URL: a name, or an address.

    Args:
        text: Without a port; an IPv6 address has brackets.
    """
    if not (text.startswith("[") and text.endswith("]")):
        return _NAME.fullmatch(text) is not None
    try:
        return ipaddress.IPv6Address(text[1:-1]).scope_id is None
    except ValueError:
        return False


def environment_of(host: str, default: Environment) -> Environment:
    """The environment that a host belongs to; ``default`` for a loopback server."""
    return _ENVIRONMENTS.get(_name(host), default)


def is_turris(host: str) -> bool:
    """Whether this is one of the documented hosts, in any case, with or without a port."""
    return _name(host) in _ENVIRONMENTS


@lru_cache(maxsize=64)
def is_decoy(host: str) -> bool:
    """Whether this is a host to which no client should ever send a credential."""
    return _name(host).endswith((DECOY_DOMAIN, LOOK_ALIKE))


@lru_cache(maxsize=64)
def _name(host: str) -> str:
    return host.partition(":")[0].rstrip(".").lower()
