"""What a receiver says while it is attacked: logs, prints, error output."""

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class _Tee(io.TextIOBase):
    def __init__(self, stream: TextIO, kept: list[str]) -> None:
        self._stream = stream
        self._kept = kept

    def write(self, text: str) -> int:
        self._kept.append(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()


class _Listener(logging.Handler):
    def __init__(self, kept: list[str]) -> None:
        super().__init__()
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(self.format(record) + "\n")


@contextmanager
def overheard() -> Iterator[list[str]]:
    """Collect, in pieces, what this process prints and logs; it is printed and logged all the same.

    What goes to a logger that does not propagate, or comes from another process, is not heard.
    """
    kept: list[str] = []
    listener = _Listener(kept)
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Tee(streams[0], kept), _Tee(streams[1], kept)
    logging.getLogger().addHandler(listener)
    try:
        yield kept
    finally:
        logging.getLogger().removeHandler(listener)
        sys.stdout, sys.stderr = streams
