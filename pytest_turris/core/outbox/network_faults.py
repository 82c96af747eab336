"""A bad network on demand: deliveries are lost, duplicated, late or reordered, from a seed."""

import datetime as dt
import hashlib
from dataclasses import dataclass

from pytest_turris.core.errors import TurrisKitError

_WHOLE = 2**32


class NetworkFaultError(TurrisKitError, ValueError):
    """A probability is not between 0 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFaults:
    """The faults of the network that a delivery can meet.

    Args:
        seed: The same seed affects the same deliveries.
        duplicate: The probability, from 0 to 1, that a delivery is sent twice.
        drop: The probability that it is never sent.
        reorder: The probability that it is held back for a second, behind what follows.
        delay: The longest delay; each delivery has its own, from zero.
    """

    seed: int = 0
    duplicate: float = 0.0
    drop: float = 0.0
    reorder: float = 0.0
    delay: dt.timedelta = dt.timedelta(0)

    def __post_init__(self) -> None:
        for name in ("duplicate", "drop", "reorder"):
            if not 0 <= (given := getattr(self, name)) <= 1:
                raise NetworkFaultError(f"{name}={given!r} is not a probability, from 0 to 1")

    def drops(self, number: int) -> bool:
        """Whether this delivery is lost."""
        return self._applies("drop", number, self.drop)

    def duplicates(self, number: int) -> bool:
        """Whether this delivery is sent twice."""
        return self._applies("duplicate", number, self.duplicate)

    def lateness(self, number: int) -> dt.timedelta:
        """How late this delivery is."""
        late = self.delay * self._draw("delay", number) if self.delay else dt.timedelta(0)
        held = self._applies("reorder", number, self.reorder)
        return late + dt.timedelta(seconds=1) if held else late

    def _applies(self, purpose: str, number: int, chance: float) -> bool:
        return chance > 0 and self._draw(purpose, number) < chance

    def _draw(self, purpose: str, number: int) -> float:
        text = f"{self.seed}/{purpose}/{number}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") / _WHOLE
