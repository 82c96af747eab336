"""Which receiver is broken for which attack."""

from collections.abc import Callable
from typing import Any

from .good_receiver import ReceiverApp, StatusInbox

BROKEN: dict[str, type[ReceiverApp]] = {}


def breaks(*ids: str, base64: bool = False) -> Callable[[type[Any]], type[Any]]:
    """Register an inbox, or an application, as the receiver that these attacks must catch."""

    def register(broken: type[Any]) -> type[Any]:
        app_class = broken
        if issubclass(broken, StatusInbox):
            members = {"inbox_class": broken, "__doc__": broken.__doc__}
            app_class = type(broken.__name__, (ReceiverApp,), members)
        app_class.encoding = "base64" if base64 else "hex"
        for id_ in ids:
            BROKEN[id_] = app_class
        return broken

    return register
