"""Limits for a response's size and duration. A timeout of httpx applies to each read only."""

from time import monotonic

from agency_directory.errors import ConnectionLostError

LARGEST_BODY = 4 * 1024 * 1024
LONGEST_READ = 30.0


class Body:
    """Collects the body of a response."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._until = monotonic() + LONGEST_READ

    def take(self, piece: bytes) -> None:
        """Add a piece; raise ConnectionLostError at the limit of size or time."""
        self._bytes += piece
        if len(self._bytes) > LARGEST_BODY:
            raise ConnectionLostError("the response is too large")
        if monotonic() > self._until:
            raise ConnectionLostError("the response takes too long")

    def __bytes__(self) -> bytes:
        return bytes(self._bytes)
