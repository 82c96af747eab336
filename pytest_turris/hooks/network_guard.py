"""No test reaches the real Turris: resolving or connecting to it fails in every library."""

import re
import socket
import sys
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

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


class Trip(NamedTuple):
    """An attempt to reach the real Turris."""

    host: str
    earlier: str
    """The thread, if it ran before the test began; else empty."""
    advice: str


class RealHostGuard:
    """Blocks connections to ``*.turrisfi.com``; ``trips`` are the attempts.

    Args:
        earlier: Names the current thread, if it ran before the test began.
        fixtures: Gives the names of the test's fixtures.
    """

    def __init__(
        self,
        earlier: Callable[[], str] = str,
        fixtures: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self.trips: list[Trip] = []
        self._earlier = earlier
        self._fixtures = fixtures
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
        written = (name if name.isascii() else _as_resolved(name)).lower()
        name = written.rstrip(".")
        if name == DOMAIN or name.endswith("." + DOMAIN):
            trip = Trip(name, self._earlier(), self._advice(written))
            self.trips.append(trip)
            raise RealHostError(
                f"{_who(trip)} tried to reach the real Turris at {name}. {trip.advice}"
            )

    def _advice(self, host: str) -> str:
        from pytest_turris.doors.in_process.unanswered import what_to_do  # noqa: PLC0415 - few runs need it

        return what_to_do(host, self._fixtures())


def swallowed(trips: Iterable[Trip]) -> str:
    """What to say of a test that passed although something tried to reach the real Turris."""
    own = [trip for trip in trips if not trip.earlier] or list(trips)
    hosts = ", ".join(sorted({trip.host for trip in own}))
    tried = f"{_who(own[0])} tried to reach the real Turris ({hosts}) and swallowed the error. "
    if not own[0].earlier:
        return tried + own[0].advice
    return (
        f"{tried}It ran before this test began. Fix: if another test left it behind, stop it and "
        "join it before that test ends; if this test uses it, ask for the fixture 'turris' or "
        "'turris_server'"
    )


def _who(trip: Trip) -> str:
    return trip.earlier or "this test"


def _as_resolved(name: str) -> str:
    """What Python's IDNA codec makes of a name in other letters; it never raises, as that does."""
    folded = unicodedata.normalize("NFKC", _DROPPED.sub("", name)).casefold()
    return unicodedata.normalize("NFKC", folded).replace("\u3002", ".")
