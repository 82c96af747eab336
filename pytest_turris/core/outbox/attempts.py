"""The log of attempts: the last ones, each with the receiver's answer."""

import datetime as dt
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pytest_turris.core.changes import Changes, Row
from pytest_turris.core.outbox.deliveries import KEPT
from pytest_turris.core.undo import Undo


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One line of the delivery log.

    Args:
        delivery: The number of the delivery.
        attempt: 1 for the first; 0 for a resend by hand.
        at: When it was sent, on the sandbox's clock.
        status: The receiver's status; None if there was no response in 30 seconds.
        latency: Seconds until the response, on the sandbox's clock.
        error: Why it failed, with what the receiver answered, and what followed; empty if it
            succeeded.
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


class AttemptLog:
    """The last attempts, the oldest first, and how many there were in all."""

    undo: Undo = Undo()
    """Guards the changes, and takes them back if they fail."""
    changes: Changes | None = None
    """Where changed rows are noted, if something keeps the state."""

    def __init__(self) -> None:
        self.made: int = 0
        """How many attempts there were, including those that are no longer kept."""
        self._kept: deque[Attempt] = deque(maxlen=KEPT)

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Attempt]:
        return iter(self._kept)

    def __reversed__(self) -> Iterator[Attempt]:
        return reversed(self._kept)

    def add(self, attempt: Attempt) -> None:
        """Log an attempt; the oldest one is forgotten if there are too many."""
        self.undo.attributes(self, "made")
        self.undo.last(self._kept, attempt)
        self.made += 1
        self._kept.append(attempt)
        if self.changes is not None:
            self.changes.gone("outbox.attempts", str(self.made - KEPT))
            self.changes.mark("outbox.attempts", str(self.made), attempt.snapshot)

    def snapshot(self) -> list[dict[str, Any]]:
        """The attempts as JSON data."""
        return [attempt.snapshot() for attempt in self._kept]

    def rows(self) -> Iterator[Row]:
        """The attempts as rows of the state."""
        for number, attempt in enumerate(self._kept, self.made - len(self._kept) + 1):
            yield "outbox.attempts", str(number), attempt.snapshot()

    def restore(self, rows: Iterable[dict[str, Any]], made: int) -> None:
        """Restore the state of a snapshot."""
        self.made = made
        self._kept = deque(map(Attempt.restored, rows), maxlen=KEPT)

    def take_over(self, row: dict[str, Any] | None) -> None:
        """Take over an attempt that another process logged; None if it is no longer kept there."""
        if row:
            self._kept.append(Attempt.restored(row))
