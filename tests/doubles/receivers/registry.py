"""Which receiver is broken for which attack."""

from collections.abc import Callable
from typing import Any

from .good_receiver import ReceiverApp, StatusInbox

BROKEN: dict[str, type[ReceiverApp]] = {}


def as_app(receiver: type[Any]) -> type[ReceiverApp]:
    """An application of its own for an inbox; an application is returned as it is."""
    if not issubclass(receiver, StatusInbox):
        return receiver
    members = {"inbox_class": receiver, "__doc__": receiver.__doc__}
    return type(receiver.__name__, (ReceiverApp,), members)


def breaks(*ids: str, base64: bool = False) -> Callable[[type[Any]], type[Any]]:
    """Register an inbox, or an application, as the receiver that these attacks must catch."""

    def register(broken: type[Any]) -> type[Any]:
        app_class = as_app(broken)
        app_class.encoding = "base64" if base64 else "hex"
        for id_ in ids:
            BROKEN[id_] = app_class
        return broken

    return register
