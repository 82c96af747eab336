"""Answers that no HTTP library would send: bytes for a socket, and pauses between them."""

import threading
from collections.abc import Iterable, Iterator

from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Response

RawPart = bytes | float
"""Bytes to write, or how many real seconds to write nothing."""

MAX_RAW_BYTES = 32 * 1024 * 1024
"""More than all buffers on the way hold, plus what a client with a size limit reads."""

MAX_SECONDS = 10.0
"""Real seconds: twice the usual timeout of five, which aiohttp rounds up to a whole second."""


def as_bytes(response: Response) -> bytes:
    """A response on the wire, from a server that closes the connection after it."""
    fields = [f"{name}: {value}" for name, value in response.headers]
    length = f"content-length: {len(response.body)}"
    lines = [f"HTTP/1.1 {response.status} ", *fields, length, "connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + response.body


class RawAnswer(ConnectionFailure):
    """An answer as bytes, limited in size and in real time.

    Only a socket can send it. In process, the client gets a broken connection that says so.
    """

    def __init__(self, script: Iterable[RawPart], max_seconds: float = MAX_SECONDS) -> None:
        """``script`` yields what to write, in order; ``max_seconds`` is in real seconds."""
        super().__init__("reset", "raw bytes, which only the fixture turris_server can send")
        self._script = script
        self.max_seconds: float = max_seconds
        self.exhausted: bool = False
        """Whether the client stayed until the last byte, or until the timeout."""
        self.stopped: bool = False
        """Set it to end the answer now, wherever it is."""
        # A lock, because time travel makes the waits of an ``Event`` virtual.
        self._open = threading.Lock()
        self._open.acquire()

    def close(self) -> None:
        """Mark its connection as closed."""
        if self._open.locked():
            self._open.release()

    def wait_until_closed(self, seconds: float) -> bool:
        """Wait until its connection is closed; return whether it was within so much real time.

        A client that makes its next call before that may take the connection for a usable one.
        """
        if is_closed := self._open.acquire(timeout=seconds):
            self._open.release()
        return is_closed

    def parts(self) -> Iterator[RawPart]:
        """What to write, up to ``MAX_RAW_BYTES``."""
        written = 0
        for part in self._script:
            yield part
            written += len(part) if isinstance(part, bytes) else 0
            if written >= MAX_RAW_BYTES:
                return
