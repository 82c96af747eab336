"""A network at its worst, on demand: what is lost, doubled, late or out of order, by a seed."""

import datetime as dt
import hashlib
from dataclasses import dataclass

from pytest_turris.core.errors import TurrisKitError

_WHOLE = 2**32


class NetworkFaultError(TurrisKitError, ValueError):
    """A probability is not between 0 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFaults:
    """How deliveries suffer; probabilities from 0 to 1.

    Args:
        seed: The same deliveries suffer for the same seed.
        duplicate: One is sent twice.
        drop: One is never sent.
        reorder: One is held back behind what follows within a second.
        delay: How late one is at most.
    """

    seed: int = 0
    duplicate: float = 0.0
    drop: float = 0.0
    reorder: float = 0.0
    delay: dt.timedelta = dt.timedelta(0)

    def __post_init__(self) -> None:
        for name in ("duplicate", "drop", "reorder"):
            if not 0 <= getattr(self, name) <= 1:
                raise NetworkFaultError(f"{name} is a probability, from 0 to 1")

    def drops(self, number: int) -> bool:
        """Whether this delivery is lost."""
        return self._befalls("drop", number, self.drop)

    def doubles(self, number: int) -> bool:
        """Whether this delivery is sent twice."""
        return self._befalls("duplicate", number, self.duplicate)

    def lateness(self, number: int) -> dt.timedelta:
        """How late this delivery is."""
        late = self.delay * self._draw("delay", number) if self.delay else dt.timedelta(0)
        held = self._befalls("reorder", number, self.reorder)
        return late + dt.timedelta(seconds=1) if held else late

    def _befalls(self, purpose: str, number: int, chance: float) -> bool:
        return chance > 0 and self._draw(purpose, number) < chance

    def _draw(self, purpose: str, number: int) -> float:
        text = f"{self.seed}/{purpose}/{number}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") / _WHOLE
