"""What the harness knows about a client: how it is made, and how it is called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Client = TypeVar("Client")


@dataclass(frozen=True)
class Design:
    """One stranger's client.

    ``build`` reads the environment and returns the client. A client has ``agents()``, one GET. It
    may have ``invite()``, one POST; ``begin_invitation()``, which returns the call that sends one;
    ``agent(id)``, one GET of one record; and ``close()``.
    """

    name: str
    story: str
    build: Callable[[], Any]
    coroutines: bool = False
    loop: str = "asyncio"
    socket: bool = False
    """Whether its HTTP library is not answered in process."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """True findings, by the id of the check, with the reason why the team lives with them."""
    caught_by: tuple[str, ...] = ()
    """For a client with a bug: the checks that name it."""
    argument: str = ""
    """For a bug that no check can see: why that is so."""


CORRECT: dict[str, Design] = {}
BROKEN: dict[str, Design] = {}


def correct(
    *,
    coroutines: bool = False,
    loop: str = "asyncio",
    socket: bool = False,
    remarks: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Callable[[type[Client]], type[Client]]:
    """Register a client that has no bug."""

    def register(client: type[Client]) -> type[Client]:
        title = name or client.__name__
        CORRECT[title] = Design(
            name=title,
            story=_first_line(client),
            build=client,
            coroutines=coroutines,
            loop=loop,
            socket=socket,
            remarks=remarks or {},
        )
        return client

    return register


def broken(
    *caught_by: str, coroutines: bool = False, argument: str = ""
) -> Callable[[type[Client]], type[Client]]:
    """Register a client with one bug; its docstring says which."""

    def register(client: type[Client]) -> type[Client]:
        BROKEN[client.__name__] = Design(
            name=client.__name__,
            story=_first_line(client),
            build=client,
            coroutines=coroutines,
            caught_by=caught_by,
            argument=argument,
        )
        return client

    return register


def _first_line(client: type[Any]) -> str:
    return (client.__doc__ or "").strip().partition("\n")[0]
