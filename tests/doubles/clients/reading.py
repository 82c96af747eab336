"""How an answer's body is read: with a limit for its size and its time."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from .client_steps import Answer
from .good_client import GoodClient


class Reading:
    """An answer's body while it is read, within the bounds of its client."""

    def __init__(self, core: GoodClient, status: int, headers: Any) -> None:
        self._core, self._status, self._headers = core, status, headers
        self._body = bytearray()
        self._began = self._now()

    def take(self, piece: bytes) -> None:
        """One more piece of it."""
        self._body += piece
        self._core.check_bounds(len(self._body), self._now() - self._began)

    def _now(self) -> float:
        """Seconds of a clock that only a client with a deadline reads."""
        return 0.0 if self._core.deadline is None else time.monotonic()

    @contextlib.contextmanager
    def ends(self) -> Iterator[None]:
        """A broken client takes what came before the connection broke for the whole."""
        try:
            yield
        except Exception:
            if not self._core.keep_partial:
                raise

    def answer(self) -> Answer:
        """The answer, as far as it was read."""
        return Answer(self._status, self._headers, bytes(self._body))
