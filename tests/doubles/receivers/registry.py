"""Which receiver is broken for which attack."""

from collections.abc import Callable
from typing import Any

from .handled import Door, HintedInbox

BROKEN: dict[str, type[Door]] = {}


def breaks(*ids: str, base64: bool = False) -> Callable[[type[Any]], type[Any]]:
    """Enter an inbox or a door as the receiver that these attacks must catch."""

    def enter(broken: type[Any]) -> type[Any]:
        door = broken
        if issubclass(broken, HintedInbox):
            door = type(
                broken.__name__, (Door,), {"inbox_class": broken, "__doc__": broken.__doc__}
            )
        door.encoding = "base64" if base64 else "hex"
        for id_ in ids:
            BROKEN[id_] = door
        return broken

    return enter
