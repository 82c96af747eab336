"""The log of the server: lines for standard error that can neither block nor forge."""

import contextlib
import queue
import sys
import threading
from typing import TextIO

_CAPACITY = 10_000
_CLOSE_SECONDS = 1.0


class ServerLog:
    """Writes lines in a thread of its own.

    A pipe that is not read blocks that thread alone. When 10,000 lines wait, further ones are
    dropped, and the next line that is written says how many.

    Args:
        stream: Where to write; None if the process has no standard error.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(_CAPACITY)
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="turris-log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Log a line. Control characters, which a client or receiver may send, are escaped."""
        try:
            self._lines.put_nowait(_printable(line))
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what waits, for at most a second."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            dropped, self._dropped = self._dropped, 0
            if dropped:
                line = f"{line}\n({dropped} lines before this one were dropped)"
            # Standard error may be missing, closed, or on a full disk.
            with contextlib.suppress(OSError, ValueError):
                if self._stream:
                    self._stream.write(f"{line}\n")
                    self._stream.flush()


def standard_error() -> ServerLog:
    """A log that writes to standard error."""
    return ServerLog(sys.stderr)


def _printable(line: str) -> str:
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
    )
