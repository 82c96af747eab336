"""The log of the server: lines for standard error that never block it and cannot be forged."""

import contextlib
import json
import logging
import sys
import threading
from collections import deque
from collections.abc import Iterator
from typing import Literal, TextIO

from pytest_turris.core.clock import Clock
from pytest_turris.core.text.moments import iso
from pytest_turris.core.text.printable import printable
from pytest_turris.core.text.redaction import redact

LogLevel = Literal["info", "warning", "error"]
_LEVELS: tuple[LogLevel, ...] = ("info", "warning", "error")

_ENCODER = json.JSONEncoder(separators=(",", ":"))
_CAPACITY = 10_000
_GATHERING = 0.02
"""Seconds that a line may wait for more: to wake the thread for each takes as long as to answer."""
_TOGETHER = 256
_CLOSE_SECONDS = 1.0


class ServerLog:
    """Writes lines in a thread of its own, each with its time in UTC and its level.

    A pipe that is not read blocks only that thread. When 10,000 lines wait, further ones are
    dropped, and the next line says how many.

    Args:
        stream: Where to write; None if the process has no standard error.
        as_json: Whether each line is a JSON object, with ``time``, ``level`` and ``message``.
        level: The lowest level that is written.
    """

    def __init__(
        self, stream: TextIO | None, *, as_json: bool = False, level: LogLevel = "info"
    ) -> None:
        self._stream = stream
        self._form = _json_line if as_json else _text_line
        self._written = frozenset(_LEVELS[_LEVELS.index(level) :])
        # The machine's time: a sandbox's own clock may be moved.
        self._clock = Clock()
        self._lines: deque[str] = deque()
        self._waiting = threading.Event()
        """Whether lines wait: set once for many, as to wake a thread takes long."""
        self._closing = threading.Event()
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="turris-log", daemon=True)
        self._thread.start()

    def write(self, message: str, level: LogLevel = "info") -> None:
        """Log a line. Control characters, which a client or receiver may send, are escaped."""
        if level not in self._written:
            return
        if len(self._lines) >= _CAPACITY:
            self._dropped += 1
            return
        self._lines.append(self._line(message, level))
        if not self._waiting.is_set():
            self._waiting.set()

    def warn(self, message: str) -> None:
        """Log what was refused."""
        self.write(message, "warning")

    def close(self) -> None:
        """Write what waits, for at most a second."""
        self._closing.set()
        self._waiting.set()
        self._thread.join(_CLOSE_SECONDS)

    def _line(self, message: str, level: LogLevel) -> str:
        return self._form(iso(self._clock.now()), level, message)

    def _run(self) -> None:
        is_closing = False
        while not is_closing:
            self._waiting.wait()
            self._waiting.clear()
            is_closing = self._closing.wait(_GATHERING)
            while self._lines or self._dropped:
                self._write_some()

    def _write_some(self) -> None:
        """Write the lines that wait, but not too many in one piece."""
        lines = [self._lines.popleft() for _ in range(min(len(self._lines), _TOGETHER))]
        dropped, self._dropped = self._dropped, 0
        if dropped:
            lines.append(self._line(f"{dropped} lines before this one were dropped", "warning"))
        # Standard error may be missing, closed, or on a full disk.
        with contextlib.suppress(OSError, ValueError):
            if self._stream:
                self._stream.write("\n".join([*lines, ""]))
                self._stream.flush()


def standard_error(*, as_json: bool = False, level: LogLevel = "info") -> ServerLog:
    """A log that writes to standard error."""
    return ServerLog(sys.stderr, as_json=as_json, level=level)


class _Passed(logging.Handler):
    """Passes the records of libraries on."""

    def __init__(self, log: ServerLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, with its traceback if there is one, as one line.

        It never raises: what fails in the event loop is logged in its handler of exceptions, and an
        exception there would end the server.
        """
        level: LogLevel = "error" if record.levelno >= logging.ERROR else "warning"
        try:
            self._log.write(redact(self.format(record)), level)
        except Exception as error:  # noqa: BLE001 - see above
            kind = type(error).__name__
            self._log.write(f"a message of {record.name} cannot be written: {kind}", level)


@contextlib.contextmanager
def logs_of_libraries(log: ServerLog) -> Iterator[None]:
    """Write what libraries log here too, while the context is open.

    Otherwise ``logging`` writes their warnings to standard error itself. Each request that
    is not HTTP makes the server log one, so anyone could fill an unread pipe, and the server waits.
    """
    passed, root = _Passed(log), logging.getLogger()
    root.addHandler(passed)
    try:
        yield
    finally:
        root.removeHandler(passed)


def _text_line(time: str, level: LogLevel, message: str) -> str:
    mark = "" if level == "info" else f"{level}: "
    return f"{time}  {mark}{printable(message)}"


def _json_line(time: str, level: LogLevel, message: str) -> str:
    # ASCII: a terminal shows it, too.
    return _ENCODER.encode({"time": time, "level": level, "message": message})
