"""The two documented hosts, one for each environment."""

from pytest_turris.core.credentials import Environment

HOSTS: dict[Environment, str] = {
    "production": "public.api.live.turrisfi.com",
    "sandbox": "public.api.sandbox.turrisfi.com",
}

_ENVIRONMENTS: dict[str, Environment] = {host: name for name, host in HOSTS.items()}


def environment_of(host: str, default: Environment) -> Environment:
    """The environment that a host belongs to; a loopback server has the default one."""
    return _ENVIRONMENTS.get(host.partition(":")[0].lower(), default)
