"""The one source of ids and secrets: a seed, and a counter for each purpose.

The same seed gives the same ids, so that a failure can be repeated.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any

from pytest_turris.core.text.redaction import Secret
from pytest_turris.core.undo import Undo


class Randomness:
    """A deterministic source of identifiers that look like Turris's."""

    undo: Undo = Undo()
    """Takes back the ids of a call that failed."""

    def __init__(self, seed: str) -> None:
        self.seed: str = seed
        self.drawn: dict[str, int] = {}

    def digest(self, purpose: str) -> str:
        """The next 64 hex digits for a purpose."""
        self.undo.item(self.drawn, purpose)
        count = self.drawn[purpose] = self.drawn.get(purpose, 0) + 1
        # It takes a third of the time of SHA-256: OpenSSL looks up its algorithms each time.
        return hashlib.blake2s(f"{self.seed}/{purpose}/{count}".encode()).hexdigest()

    def object_id(self) -> str:
        """A MongoDB ObjectId: 24 hex digits."""
        return self.digest("object id")[:24]

    def number(self, purpose: str, digits: int) -> str:
        """A number with this many decimal digits that does not begin with 0."""
        low = 10 ** (digits - 1)
        return str(low + int(self.digest(purpose), 16) % (9 * low))

    def uuid(self, purpose: str) -> str:
        """A version 4 UUID."""
        d = self.digest(purpose)
        return f"{d[:8]}-{d[8:12]}-4{d[13:16]}-{'89ab'[int(d[16], 16) % 4]}{d[17:20]}-{d[20:32]}"

    def request_id(self) -> str:
        """``dev-`` and a UUID; the documentation shows no other prefix."""
        return f"dev-{self.uuid('request id')}"

    def client_id(self) -> str:
        """A client id that is recognisably fake."""
        return f"turris_sandbox_client_{self.digest('client')[:12]}"

    def secret(self, kind: str) -> Secret:
        """A secret that is recognisably fake; ``kind`` is part of it."""
        return Secret(f"turris_sandbox_{kind}_{self.digest(kind)[:40]}")

    def snapshot(self) -> dict[str, Any]:
        """Seed and counters as JSON data."""
        return {"seed": self.seed, "drawn": dict(self.drawn)}

    def restore(self, data: dict[str, Any]) -> None:
        """Continue from the state of a snapshot."""
        self.seed = data["seed"]
        self.drawn = dict(data["drawn"])

    @contextlib.contextmanager
    def taken_back_on_error(self) -> Iterator[None]:
        """A block whose ids are made again by the next block, if it raises."""
        before = dict(self.drawn)
        try:
            yield
        except BaseException:
            self.drawn = before
            raise
