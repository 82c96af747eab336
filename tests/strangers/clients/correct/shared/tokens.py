"""A token that threads share: checked, asked for and forgotten under one lock."""

import threading
import time
from collections.abc import Callable

from strangers.clients.correct.shared.answers import Grant


class Tokens:
    """The common part of the teams whose designs differ elsewhere."""

    def __init__(self, ask: Callable[[], Grant], early: float = 300.0) -> None:
        self._ask = ask
        self._early = early
        self._lock = threading.Lock()
        self._grant: Grant | None = None
        self._asked_at = 0.0

    def current(self, refused: str = "") -> str:
        """A token that is not about to end, and not the one that was refused."""
        with self._lock:
            if self._grant is not None and self._grant.token == refused:
                self._grant = None
            now = time.time()
            age = now - self._asked_at
            if self._grant is None or not 0 <= age <= self._grant.seconds - self._early:
                self._grant, self._asked_at = self._ask(), now
            return self._grant.token
