"""Captures what the code under test prints and logs, and passes it on."""

import io
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any


class Tee:
    """Wraps a stream of text or bytes; all other attributes are the stream's.

    Args:
        stream: The stream behind it, such as ``sys.stdout``.
        kept: Gets each piece that was written; bytes as UTF-8.
    """

    def __init__(self, stream: Any, kept: list[str]) -> None:  # noqa: ANN401 - any stream
        self._stream = stream
        self._kept = kept

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)

    @property
    def buffer(self) -> "Tee":
        """The stream of bytes below, which is captured too."""
        return Tee(self._stream.buffer, self._kept)

    def write(self, piece: Any) -> int:  # noqa: ANN401 - text or bytes
        """Keep it, pass it on."""
        self._kept.append(
            piece if isinstance(piece, str) else bytes(piece).decode(errors="replace")
        )
        return int(self._stream.write(piece))

    def writelines(self, lines: Iterable[Any]) -> None:
        """Keep each, pass each on."""
        for line in lines:
            self.write(line)


@contextmanager
def captured_streams(kept: list[str]) -> Iterator[None]:
    """Append to ``kept`` what this process prints, which is printed as well.

    Args:
        kept: Gets each piece that is written to stdout or stderr while the context is open.
    """
    with redirect_stdout(Tee(sys.stdout, kept)), redirect_stderr(Tee(sys.stderr, kept)):
        yield


@contextmanager
def captured_output() -> Iterator[list[str]]:
    """Collect, in pieces, what this process prints and logs, which is printed and logged as well.

    Loggers that do not propagate and other processes are not captured.
    """
    kept: list[str] = []
    listener = logging.StreamHandler(Tee(io.StringIO(), kept))
    logging.getLogger().addHandler(listener)
    try:
        with captured_streams(kept):
            yield kept
    finally:
        logging.getLogger().removeHandler(listener)
