"""The address of a receiver: host, scheme, and the path that webhooks go to."""

import re

from pytest_turris.core.errors import TurrisKitError

_SCHEMES = ("", "http", "https")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


class TargetError(TurrisKitError, TypeError):
    """A webhook cannot be sent to that object, or a ``verify`` function returned no bool."""


def check_host_and_scheme(host: str, scheme: str) -> None:
    """Raise TargetError if requests cannot have this host or scheme; empty ones are the default."""
    if host and not _HOST.fullmatch(host):
        raise TargetError(f"host={host!r} is not a host, such as 'api.example.com'")
    if scheme not in _SCHEMES:
        raise TargetError(f"scheme={scheme!r} is not 'http' or 'https'")


def url_with_path(url: str, path: str) -> str:
    """A path after the URL's own, before its query; two queries become one."""
    base, mark, query = url.partition("?")
    whole = base.rstrip("/") + path
    return f"{whole}{'&' if '?' in whole else '?'}{query}" if mark else whole
