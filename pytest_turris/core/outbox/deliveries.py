"""Deliveries and their attempts."""

import datetime as dt
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

State = Literal["pending", "delivered", "failed", "dropped", "removed", "disabled"]


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
    state: State = "pending"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One line of the delivery log.

    Args:
        delivery: The number of the delivery.
        attempt: 1 for the first; 0 for a resend by hand.
        at: When it was sent, on the sandbox's clock.
        status: The receiver's status; None if there was no response in 30 seconds.
        latency: Seconds until the response, on the sandbox's clock.
        error: Why it failed and what followed; empty if it succeeded.
        signature: The last four characters of the signature that was sent.
        retry_after: Seconds that the receiver asked to wait; None if it did not ask.
    """

    delivery: int
    attempt: int
    at: dt.datetime
    status: int | None
    latency: float
    error: str
    signature: str
    retry_after: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver answered with 200-299 in time (documented)."""
        return not self.error

    def snapshot(self) -> dict[str, Any]:
        """The attempt as JSON data."""
        return asdict(self) | {"at": self.at.isoformat()}

    @classmethod
    def restored(cls, row: dict[str, Any]) -> "Attempt":
        """A snapshot's attempt."""
        return cls(**row | {"at": dt.datetime.fromisoformat(row["at"])})
