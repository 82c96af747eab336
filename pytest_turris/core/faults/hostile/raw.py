"""Answers that no HTTP library would send: bytes for a socket, and the pauses between them."""

from collections.abc import Iterable, Iterator

from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Response

Part = bytes | float
"""Bytes to write, or for how many real seconds to write nothing."""

MAX_RAW_BYTES = 32 * 1024 * 1024
"""More than what a client with bounds reads and all buffers between hold together."""

MAX_SECONDS = 6.0
"""Real seconds: a little more than five, which is what HTTP libraries wait by themselves."""


def as_bytes(response: Response) -> bytes:
    """A response as a server writes it that closes the connection afterwards."""
    fields = [f"{name}: {value}" for name, value in response.headers]
    length = f"content-length: {len(response.body)}"
    lines = [f"HTTP/1.1 {response.status} ", *fields, length, "connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + response.body


class RawAnswer(ConnectionFailure):
    """An answer as bytes, bounded in size and in real time.

    Only a socket can carry it. Where there is none, it is a broken connection that says so.
    """

    def __init__(self, script: Iterable[Part], max_seconds: float = MAX_SECONDS) -> None:
        """``script`` gives what is written, in order; ``max_seconds`` is in real seconds."""
        super().__init__("reset", "raw bytes, which only the fixture turris_server can send")
        self._script = script
        self.max_seconds: float = max_seconds
        self.exhausted: bool = False
        """Whether the client stayed until its last byte, or until max_seconds ended."""
        self.stopped: bool = False
        """Whether it is to end now, wherever it is."""

    def parts(self) -> Iterator[Part]:
        """What is written, until there is no more, or more than enough."""
        written = 0
        for part in self._script:
            yield part
            written += len(part) if isinstance(part, bytes) else 0
            if written >= MAX_RAW_BYTES:
                return
