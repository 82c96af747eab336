"""The two documented hosts, one for each environment."""

from functools import lru_cache
from typing import Literal

Environment = Literal["sandbox", "production"]

HOSTS: dict[Environment, str] = {
    "production": "public.api.live.turrisfi.com",
    "sandbox": "public.api.sandbox.turrisfi.com",
}

DECOY_DOMAIN = ".decoy.invalid"
"""Names that never resolve; hostile redirects and links lead there."""

_ENVIRONMENTS: dict[str, Environment] = {host: name for name, host in HOSTS.items()}


def environment_of(host: str, default: Environment) -> Environment:
    """The environment that a host belongs to; a loopback server has the default one."""
    return _ENVIRONMENTS.get(_name(host), default)


def is_turris(host: str) -> bool:
    """Whether it is one of the documented hosts, whatever its port and case."""
    return _name(host) in _ENVIRONMENTS


def is_decoy(host: str) -> bool:
    """Whether it is a host to which no client should ever send a credential (RFC 6761)."""
    return _name(host).endswith(DECOY_DOMAIN)


@lru_cache(maxsize=64)
def _name(host: str) -> str:
    return host.partition(":")[0].rstrip(".").lower()
