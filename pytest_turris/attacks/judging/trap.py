"""A server that nothing has a reason to ask, except a receiver that follows URLs of webhooks.

It stays open to the end of the process, since receivers may follow URLs long after their answer.
"""

import contextlib
import re
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Self

from pytest_turris.attacks.step import Trouble

_GRACE = 0.05
"""Seconds that a request may take on its way, after the last answer."""

_READ_SECONDS = 1.0
_ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_PATH = re.compile(rb"/turris-trap/(\d+)/([\w.-]*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Visit:
    """One connection to the trap.

    Args:
        number: Its number: no two are alike.
        watch: The number of the watch whose URL was asked for, or of the last one.
        place: Where in the webhook the URL stood; empty if nothing was asked for.
    """

    number: int
    watch: int
    place: str


class Trap:
    """Listens on a free port of this machine, answers 204, and remembers what it was asked for."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._visits: list[_Visit] = []
        self._told: set[_Visit] = set()
        self._attacks: list[str] = []
        self._ended: set[int] = set()
        self.host: str = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.base: str = f"http://{self.host}/turris-trap"
        threading.Thread(target=self._serve, name="turris-trap", daemon=True).start()

    def watch(self, attack: str) -> "Watch":
        """Begin to watch for requests to new URLs; ``attack`` is the id of what sends them."""
        self._attacks.append(attack)
        return Watch(self, len(self._attacks))

    def visits(self, watch: int) -> list[_Visit]:
        """The requests so far for the URLs of one watch; one on its way is waited for."""
        if not self._of(watch):
            select.select([], [], [], _GRACE)  # time travel does not move it
        found = self._of(watch)
        self._told.update(found)
        return found

    def end(self, watch: int) -> None:
        """The attack is over: what comes for its URLs from now on is late."""
        self._ended.add(watch)

    def late(self) -> dict[str, str]:
        """The places of URLs that were asked for after the verdict, by attack; each once."""
        late = [one for one in tuple(self._visits) if one.watch in self._ended]
        new = [one for one in late if one not in self._told]
        self._told.update(new)
        return {self._attacks[one.watch - 1]: one.place for one in new}

    def _of(self, watch: int) -> list[_Visit]:
        return [one for one in tuple(self._visits) if one.watch == watch]

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(_READ_SECONDS)
                self._note(connection)
                connection.sendall(_ANSWER)

    def _note(self, connection: socket.socket) -> None:
        head = b""
        with contextlib.suppress(OSError):  # a connection that says nothing was made, too
            while b"\r\n\r\n" not in head and (piece := connection.recv(4096)):
                head += piece
        asked = _PATH.search(head)
        watch, place = (int(asked[1]), asked[2].decode()) if asked else (len(self._attacks), "")
        self._visits.append(_Visit(number=len(self._visits), watch=watch, place=place))


class Watch:
    """The URLs of one attack, and whether they were asked for."""

    def __init__(self, trap: Trap, number: int) -> None:
        self._trap = trap
        self._number = number

    def url(self, place: str) -> str:
        """A URL to send; ``place`` says where in the webhook it stands."""
        return f"{self._trap.base}/{self._number}/{place}"

    @property
    def host(self) -> str:
        """The trap's address and port, for where no URL fits; asked for, it counts as well."""
        return self._trap.host

    def visited(self) -> list[str]:
        """The places of the URLs that were asked for so far."""
        return [visit.place for visit in self._trap.visits(self._number)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._trap.end(self._number)


def unvisited(watch: Watch) -> Iterator[Trouble]:
    """Find the requests for the URLs of an attack."""
    for place in dict.fromkeys(watch.visited()):
        yield Trouble(
            f"the receiver connected to where the request said ({place or 'the address alone'})",
            "make no request",
        )


@cache
def the_trap() -> Trap:
    """The trap of this process, which is set at its first use."""
    return Trap()


def late_visits() -> dict[str, str]:
    """Late requests by attack, each returned once; empty if no trap was ever set."""
    return the_trap().late() if the_trap.cache_info().currsize else {}
