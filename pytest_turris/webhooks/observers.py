"""Observers are notified of each delivery that a receiver accepted.

They apply to the whole process: to ``SignedWebhook.send`` and ``asend``, and to the engine. A
delivery without observers costs nothing more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pytest_turris.receivers.exchange import Post
from pytest_turris.receivers.target import Target

_observers: list["DeliveryObserver"] = []


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptedDelivery:
    """A delivery that a receiver accepted.

    Args:
        description: What was sent and where to, redacted.
        target: The receiver.
        sent: The request.
    """

    description: str
    target: Target
    sent: Post


class DeliveryObserver(Protocol):
    """An observer. What it posts to the target itself is not observed."""

    def delivery_accepted(self, delivery: AcceptedDelivery) -> None:
        """Note a delivery that was sent synchronously."""

    async def adelivery_accepted(self, delivery: AcceptedDelivery) -> None:
        """Note a delivery that was sent from a coroutine."""


def add_observer(observer: DeliveryObserver) -> None:
    """Notify an observer from now on, until it is removed."""
    _observers.append(observer)


def remove_observer(observer: DeliveryObserver) -> None:
    """Stop notifying an observer."""
    _observers.remove(observer)


def notify(target: Target, sent: Post, describe: Callable[[], str]) -> None:
    """Notify the observers of an accepted delivery; ``describe`` is called only for them."""
    for observer in tuple(_observers):
        observer.delivery_accepted(
            AcceptedDelivery(description=describe(), target=target, sent=sent)
        )


async def anotify(target: Target, sent: Post, describe: Callable[[], str]) -> None:
    """Notify the observers as ``notify`` does, from a coroutine."""
    for observer in tuple(_observers):
        await observer.adelivery_accepted(
            AcceptedDelivery(description=describe(), target=target, sent=sent)
        )
