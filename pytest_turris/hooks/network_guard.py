"""No test reaches the real Turris: resolving or connecting to it fails in every library."""

import re
import socket
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.process.patch import Patch, Replacement

DOMAIN = "turrisfi.com"
_RESOLVERS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")
_CONNECTORS = {"connect": 0, "connect_ex": 0, "sendto": -1, "sendmsg": 3}
"""Methods of a socket that resolve a host, and which of their arguments is the address."""

# What nameprep (RFC 3491) drops, and other characters that have no width.
_DROPPED = re.compile(
    "[\u00ad\u034f\u1806\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
)
_SWITCH = "pytest_socket"


class RealHostError(TurrisKitError, RuntimeError):
    """Something tried to reach the real Turris. Other hosts are left alone.

    No OSError: clients retry those, and some swallow them.
    """


class RealHostGuard:
    """Blocks connections to ``*.turrisfi.com``; ``trips`` are the attempts."""

    def __init__(self) -> None:
        self.trips: list[str] = []
        self._patched = ExitStack()

    def install(self) -> None:
        """Watch the resolver and every socket of the process."""
        self._patched.enter_context(Patch(*self._replacements()))

    def remove(self) -> None:
        """Put everything back."""
        self._patched.close()

    def _replacements(self) -> Iterator[Replacement]:
        switch = sys.modules.get(_SWITCH)
        connectors = {name: partial(self._connector, at) for name, at in _CONNECTORS.items()}
        for owner, wraps in (
            (socket, dict.fromkeys(_RESOLVERS, self._resolver)),
            (socket.socket, connectors),
        ):
            for name, wrap in wraps.items():
                if not hasattr(owner, name):  # Windows has no sendmsg
                    continue
                # While sockets are disabled, pytest-socket looks for its own function to enable
                # them.
                if getattr(getattr(owner, name), "__module__", "") != _SWITCH:
                    yield owner, name, wrap
                # After each test it puts back the function from before this guard.
                if hasattr(switch, f"_true_{name}"):
                    yield switch, f"_true_{name}", wrap

    def _resolver(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
            self._check(args[0] if args else kwargs.get("host", kwargs.get("hostname")))
            return original(*args, **kwargs)

        return guarded

    def _connector(self, at: int, original: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(sock: socket.socket, *args: Any) -> Any:  # noqa: ANN401 - as the original
            for address in args[at:][:1]:
                self._check(address[0] if isinstance(address, tuple) and address else address)
            return original(sock, *args)

        return guarded

    def _check(self, host: object) -> None:
        name = host.decode("latin-1") if isinstance(host, bytes | bytearray) else host
        if not isinstance(name, str):
            return
        name = (name if name.isascii() else _as_resolved(name)).rstrip(".").lower()
        if name == DOMAIN or name.endswith("." + DOMAIN):
            self.trips.append(name)
            raise RealHostError(
                f"this test tried to reach the real Turris at {name}. Ask for the fixture "
                "'turris' (httpx, httpx2 and requests are then answered in process) or "
                "'turris_server' (for any other client: point its base URL at "
                "turris_server.base_url)"
            )


def _as_resolved(name: str) -> str:
    """What Python's IDNA codec makes of a name in other letters; it never raises, as that does."""
    folded = unicodedata.normalize("NFKC", _DROPPED.sub("", name)).casefold()
    return unicodedata.normalize("NFKC", folded).replace("\u3002", ".")
