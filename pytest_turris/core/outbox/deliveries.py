"""Deliveries: what is sent to whom, and the state of each."""

import datetime as dt
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

DeliveryState = Literal["pending", "delivered", "failed", "dropped", "removed", "disabled"]

KEPT = 1_000
"""How many settled deliveries, and how many attempts, are remembered."""


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One event on its way to one webhook.

    ``body`` and ``headers`` are the bytes of the first attempt; all later ones send the same.
    ``attempts`` counts the automatic attempts, ``resends`` those by hand. A delivery whose webhook
    was removed or disabled before it was sent is not sent; its state says so.
    """

    number: int
    endpoint_id: str
    webhook_type: str
    event: dict[str, Any] = field(repr=False)
    due: dt.datetime
    state: DeliveryState = "pending"
    attempts: int = 0
    resends: int = 0
    body: str = field(default="", repr=False)
    headers: list[list[str]] = field(default_factory=list, repr=False)

    def snapshot(self) -> dict[str, Any]:
        """The delivery as JSON data."""
        return asdict(self) | {"due": self.due.isoformat()}

    @classmethod
    def restored(cls, row: dict[str, Any]) -> "Delivery":
        """A snapshot's delivery."""
        return cls(**row | {"due": dt.datetime.fromisoformat(row["due"])})
