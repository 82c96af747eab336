"""All doors in process at once: what the fixture ``turris`` opens.

They are patches of the whole process, so several sandboxes at once share them, whatever the
threads: the credential in a request tells whose it is, and without one it is the newest's.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.util import find_spec
from pkgutil import resolve_name

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.tenants import Tenants
from pytest_turris.doors.in_process.httpx import httpx2_door, httpx_door
from pytest_turris.doors.in_process.import_hook import when_imported
from pytest_turris.doors.in_process.sharing import Handle
from pytest_turris.doors.in_process.trust import shared_trust

Door = Callable[[Handle], contextlib.AbstractContextManager[None]]

_LOADS_TRUST = frozenset({"httpx", "httpx2"})

_tenants = Tenants()
_one_at_a_time = threading.RLock()
"""Held while patches come or go; never while a library is imported, which may wait for others."""


@contextlib.contextmanager
def open_doors(sandbox: Sandbox) -> Iterator[None]:
    """Let a sandbox answer every client library there is, while the context is open."""
    opened = contextlib.ExitStack()
    with _one_at_a_time:
        _tenants.add(sandbox)
    try:
        when_imported(installed(), partial(_open, sandbox, opened), opened)
        sandbox.doors = installed()
        yield
    finally:
        sandbox.doors = ()
        with _one_at_a_time:
            opened.close()
            _tenants.remove(sandbox)


@cache
def installed() -> tuple[str, ...]:
    """The libraries that are answered in process, from when on they are imported."""
    return tuple(library for library in _DOORS if find_spec(library))


def _open(sandbox: Sandbox, opened: contextlib.ExitStack, library: str) -> None:
    parts = [_DOORS[library](_tenants.handle)]
    if library in _LOADS_TRUST and sandbox.options.share_ssl_context:
        parts.insert(0, shared_trust(library))
    with _one_at_a_time:
        for part in parts:
            opened.enter_context(part)


def _requests_door(handle: Handle) -> contextlib.AbstractContextManager[None]:
    door: Door = _loaded("pytest_turris.doors.in_process.requests:requests_door")
    return door(handle)


# requests may be missing, and its door cannot be imported without it.
_loaded = cache(resolve_name)

_DOORS: dict[str, Door] = {
    "httpx": httpx_door,
    "httpx2": httpx2_door,
    "requests": _requests_door,
}
