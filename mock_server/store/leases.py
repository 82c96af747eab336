"""Decides which server sends a delivery: it claims it for a while, by the clock of the database."""

from typing import Any

from pydantic_core import to_json

LEASE_SECONDS = 60.0
"""Longer than an attempt takes: Turris waits for 30 seconds."""


class Leases:
    """The claims of one sandbox. They are part of its state, and change under its lock.

    Args:
        owner: The name of this server.
        seconds: How long a claim lasts.
    """

    def __init__(self, owner: str, seconds: float) -> None:
        self._owner = owner
        self._seconds = seconds
        self._leases: dict[int, tuple[str, float]] = {}
        self.now: float = 0.0
        """The time of the database, when the lock was taken."""
        self.changed: bool = False
        """Whether something changed since the lock was taken."""

    def begin(self, now: float) -> None:
        """The lock was taken at this time of the database; nothing has changed since then."""
        self.now, self.changed = now, False

    def take(self, number: int) -> bool:
        """Claim a delivery; return whether this server may send it."""
        owner, until = self._leases.get(number, ("", 0.0))
        if owner and until > self.now and owner != self._owner:
            return False
        self._leases[number] = self._owner, self.now + self._seconds
        self.changed = True
        return True

    def renew(self, number: int) -> bool:
        """Extend a claim; return whether this server still has it."""
        owner, _ = self._leases.get(number, ("", 0.0))
        return owner == self._owner and self.take(number)

    def release(self, number: int) -> bool:
        """Give a claim back; return whether this server still had it."""
        owner, _ = self._leases.get(number, ("", 0.0))
        if owner != self._owner:
            return False
        del self._leases[number]
        self.changed = True
        return True

    def lapsed_resends(self) -> list[int]:
        """Return the deliveries whose resend was claimed by a server that no longer runs."""
        lapsed = [
            number
            for number, (_, until) in self._leases.items()
            if number < 0 and until <= self.now
        ]
        for number in lapsed:
            del self._leases[number]
        self.changed = self.changed or bool(lapsed)
        return [-number for number in lapsed]

    @property
    def numbers(self) -> frozenset[int]:
        """The deliveries that are claimed."""
        return frozenset(self._leases)

    @property
    def next_end(self) -> float | None:
        """When the first claim ends, on the clock of the database."""
        return min((until for _, until in self._leases.values()), default=None)

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what is kept."""
        self._leases = {int(number): (owner, until) for number, (owner, until) in data.items()}

    def added_to(self, facts: dict[str, Any]) -> str:
        """Facts with the claims, as JSON."""
        return to_json(facts | {"leases": self._leases}).decode()
