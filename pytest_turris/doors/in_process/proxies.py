"""Reads the proxies of the environment in a fifth of the time.

A client of httpx reads them when it is made, which takes longer than all the rest: the standard
library decodes the whole environment, twice. Where no variable names a proxy, it finds nothing.
"""

import os
import sys
from collections.abc import Callable
from urllib.request import getproxies_environment

from pytest_turris.process.patch import Replacement

_READ = "getproxies"
_SUFFIX = "_proxy"

_Proxies = dict[str, str]


def quick_proxies(library: str) -> tuple[Replacement, ...]:
    """What to replace in httpx or httpx2."""
    reader = sys.modules.get(f"{library}._utils")
    return ((reader, _READ, _quick),) if hasattr(reader, _READ) else ()


def _quick(read: Callable[[], _Proxies]) -> Callable[[], _Proxies]:
    """The same function, which looks at the names first.

    Another one stays as it is: those of macOS and Windows ask the system too.
    """
    if read is not getproxies_environment:
        return read

    def getproxies() -> _Proxies:
        for name in os.environ:
            if name[-len(_SUFFIX) :].lower() == _SUFFIX:
                return read()
        return {}

    return getproxies
