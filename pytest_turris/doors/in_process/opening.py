"""Opens all doors in process at once, for the fixture ``turris``.

Doors patch the whole process, so sandboxes that are open at the same time share them, whatever
the threads. The credential in a request decides which sandbox answers; without one it is the
newest.
"""

import re
import threading
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pkgutil import resolve_name

from pytest_turris.core.errors import TurrisKitWarning
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.tenants import TenantDirectory
from pytest_turris.doors.in_process.import_hook import ImportHook
from pytest_turris.doors.in_process.trust import shared_trust
from pytest_turris.process.closing import close_all

_Opened = list[AbstractContextManager[None]]
DoorFactory = Callable[[Handle], AbstractContextManager[None]]

_LOADS_TRUST = frozenset({"httpx", "httpx2"})

_tenants = TenantDirectory()
_lock = threading.RLock()
"""Held while patches change; never during an import, which can wait for another thread's."""


def open_doors(sandbox: Sandbox) -> AbstractContextManager[Sandbox]:
    """Let a sandbox answer every supported client library while the context is open."""
    return _OpenDoors(sandbox)


class _OpenDoors(AbstractContextManager[Sandbox]):
    """Every test enters one: a generator takes longer, and so does an ``ExitStack``."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._opened: _Opened = []

    def __enter__(self) -> Sandbox:
        with _lock:
            _tenants.add(self._sandbox)
        try:
            hook = ImportHook(installed(), partial(_open, self._sandbox, self._opened))
            _enter(hook, self._opened)
        except BaseException:
            self.__exit__()
            raise
        self._sandbox.doors = installed()
        return self._sandbox

    def __exit__(self, *_: object) -> None:
        self._sandbox.doors = ()
        with _lock:
            try:
                close_all(self._opened)
            finally:
                _tenants.remove(self._sandbox)


def answered_now() -> tuple[str, ...]:
    """The libraries that are answered in process at this moment; none while no sandbox is open."""
    return installed() if len(_tenants) else ()


@cache
def installed() -> tuple[str, ...]:
    """The installed libraries that are answered in process, as soon as they are imported."""
    return tuple(library for library in _DOORS if find_spec(library) and _is_new_enough(library))


def _is_new_enough(library: str) -> bool:
    """Whether the door knows how this version connects. If not, it stays closed, and says so."""
    needed = _OLDEST.get(library)
    try:
        numbers = re.findall(r"\d+", version(library)) if needed else []
    except PackageNotFoundError:  # a copy without metadata: its version is unknown
        return True
    found = tuple(map(int, numbers[:3]))
    if needed is None or found >= needed:
        return True
    least = ".".join(map(str, needed))
    warnings.warn(
        f"{library} {version(library)} is not answered in process: that needs {least} or later. "
        f"Fix: pip install 'pytest-turris[{library}]', or use turris_server",
        TurrisKitWarning,
        stacklevel=2,
    )
    return False


def _open(sandbox: Sandbox, opened: _Opened, library: str) -> None:
    """Open one door. The others open even if this one cannot."""
    try:
        door: DoorFactory = _resolved(f"pytest_turris.doors.in_process.{_DOORS[library]}")
        with _lock:
            if library in _LOADS_TRUST and sandbox.options.share_ssl_context:
                _enter(shared_trust(library), opened)
            _enter(door(_tenants.handle), opened)
    except (AttributeError, ImportError, TypeError) as error:
        _warn_of_unknown_version(library, error)


def _enter(context: AbstractContextManager[None], opened: _Opened) -> None:
    context.__enter__()
    opened.append(context)


def _warn_of_unknown_version(library: str, error: Exception) -> None:
    """Say that a door stays closed, because a library is not made as the door expects it.

    Requests to Turris then find no door, and the network guard stops them.
    """
    found = " with ".join(f"{name} {_version(name)}" for name in (library, *_NEEDS[library]))
    warnings.warn(
        f"{found} is not answered in process: {error}. Fix: install earlier versions, or use "
        "turris_server",
        TurrisKitWarning,
        stacklevel=2,
    )


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "of an unknown version"


# A library may be missing, or changed, and its door cannot be imported then.
_resolved = cache(resolve_name)

_OLDEST = {"requests": (2, 32, 2)}
"""The oldest version that a door can open, where the package's own dependencies do not say it."""

_DOORS = {
    "httpx": "httpx:httpx_door",
    "httpx2": "httpx:httpx2_door",
    "requests": "requests:requests_door",
}
"""Where the door of each library is."""

_NEEDS = {"httpx": ("respx",), "httpx2": ("respx",), "requests": ("urllib3",)}
"""What a door uses besides its library."""
