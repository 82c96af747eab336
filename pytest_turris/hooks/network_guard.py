"""No test reaches the real Turris: resolving or connecting to it fails, whatever the library."""

import socket
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from pytest_turris.core.errors import TurrisKitError

DOMAIN = "turrisfi.com"
_RESOLVERS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")
_CONNECTORS = ("connect", "connect_ex")
_SWITCH = "pytest_socket"


class RealHostError(TurrisKitError, RuntimeError):
    """Something tried to reach the real Turris. Other hosts are left alone.

    No OSError: clients retry those, and some swallow them.
    """


class RealHostGuard:
    """Stands between the process and ``*.turrisfi.com``; ``trips`` are the attempts."""

    def __init__(self) -> None:
        self.trips: list[str] = []
        self._undo: list[Callable[[], None]] = []

    def install(self) -> None:
        """Watch the resolver and every socket of the process."""
        for name in _RESOLVERS:
            self._wrap(socket, name, position=0)
        for name in _CONNECTORS:
            self._wrap(socket.socket, name, position=1)
        self._stay_after(sys.modules.get(_SWITCH))

    def remove(self) -> None:
        """Put everything back."""
        while self._undo:
            self._undo.pop()()

    def _stay_after(self, switch: ModuleType | None) -> None:
        """After each test pytest-socket puts back what it saw before any guard was there."""
        for names, position in ((_RESOLVERS, 0), (_CONNECTORS, 1)):
            for kept in (f"_true_{name}" for name in names):
                if hasattr(switch, kept):
                    self._wrap(switch, kept, position=position)

    def _wrap(self, owner: Any, name: str, *, position: int) -> None:  # noqa: ANN401 - module or class
        original = getattr(owner, name)
        if getattr(original, "__module__", "") == _SWITCH:
            return  # sockets are off at the moment: pytest-socket looks for its own to end it

        def guarded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
            target = args[position] if len(args) > position else kwargs.get("host")
            self._check(target[0] if isinstance(target, tuple) and target else target)
            return original(*args, **kwargs)

        own = name in vars(owner)
        setattr(owner, name, guarded)
        self._undo.append(
            (lambda: setattr(owner, name, original)) if own else (lambda: delattr(owner, name))
        )

    def _check(self, host: object) -> None:
        name = host.decode("latin-1") if isinstance(host, bytes) else host
        if not isinstance(name, str):
            return
        name = name.rstrip(".").lower()
        if name == DOMAIN or name.endswith("." + DOMAIN):
            self.trips.append(name)
            raise RealHostError(
                f"this test tried to reach the real Turris at {name}. Ask for the fixture "
                "'turris' (httpx, httpx2 and requests are then answered in process) or "
                "'turris_server' (for any other client: point its base URL at "
                "turris_server.base_url)"
            )
