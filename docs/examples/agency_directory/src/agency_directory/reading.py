"""How much of an answer is read, and for how long: a timeout of httpx is one for each read."""

from time import monotonic

from agency_directory.errors import ConnectionLostError

LARGEST_BODY = 4 * 1024 * 1024
LONGEST_READ = 30.0


class Body:
    """The bytes of an answer, piece by piece."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._until = monotonic() + LONGEST_READ

    def take(self, piece: bytes) -> None:
        """One more piece; raise ConnectionLostError if there is no end to them."""
        self._bytes += piece
        if len(self._bytes) > LARGEST_BODY:
            raise ConnectionLostError("the answer is too large")
        if monotonic() > self._until:
            raise ConnectionLostError("the answer takes too long")

    def __bytes__(self) -> bytes:
        return bytes(self._bytes)
