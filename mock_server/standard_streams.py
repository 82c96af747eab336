"""Standard output and standard error that are closed, read-only or on a full disk."""

import io
import os
import sys
from typing import Any, TextIO

_OUTPUT = 1
_ERROR = 2
_NONE = -1
"""The number of no stream: to write there is refused, as it was where a closed one was."""


class OutputError(OSError):
    """Standard output cannot be written. It is raised once; what follows is lost."""


def prepare_streams() -> None:
    """Let no command end in a traceback because a standard stream cannot be written."""
    _open_missing()
    # Another stream than Python's own is that of the program that runs this one.
    if sys.stdout is sys.__stdout__:
        sys.stdout = _guarded(sys.stdout, _OUTPUT)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _guarded(sys.stderr, _ERROR)


def _open_missing() -> None:
    """Open the null device in place of closed streams.

    Otherwise the next file or socket, such as that of the store, takes the number of a stream, and
    what a library prints is written there.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= _ERROR:
        pass
    os.close(number)


class _Descriptor(io.RawIOBase):
    """A stream of the process; an error of standard error is ignored."""

    def __init__(self, number: int, *, is_closed: bool) -> None:
        self._number = number
        self._is_closed = is_closed
        self._is_lost = False

    def writable(self) -> bool:
        """Return that it is for writing."""
        return True

    def fileno(self) -> int:
        """Return its number."""
        return self._number

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return os.isatty(self._number)

    def write(self, data: Any, /) -> int | None:  # noqa: ANN401 - any buffer of bytes
        """Write some of the bytes; all are lost after an error."""
        size = memoryview(data).nbytes
        # Libraries write nothing to see what kind of stream it is, and ignore the error.
        if self._is_lost or not size:
            return size
        try:
            return os.write(_NONE if self._is_closed else self._number, data)
        except BlockingIOError:
            return None  # what a stream that does not block says
        except OSError as error:
            self._is_lost = True
            if self._number == _ERROR:
                return size
            if isinstance(error, BrokenPipeError):
                raise  # its reader has seen enough
            raise OutputError(error.errno, error.strerror) from None


def _guarded(stream: TextIO | None, number: int) -> TextIO:
    """The stream, with a descriptor that knows what to do after an error."""
    if stream is None:
        return _text(_Descriptor(number, is_closed=True), encoding="utf-8")
    buffer = getattr(stream, "buffer", None)
    # The console of Windows has a descriptor of another kind.
    if not isinstance(stream, io.TextIOWrapper) or type(_raw_of(buffer)) is not io.FileIO:
        return stream
    return _text(
        _Descriptor(number, is_closed=False),
        encoding=stream.encoding,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _raw_of(buffer: Any) -> Any:  # noqa: ANN401 - a buffer of any kind
    """What a buffer writes to: itself if Python does not buffer."""
    return getattr(buffer, "raw", buffer)


def _text(raw: _Descriptor, *, write_through: bool = False, **more: Any) -> TextIO:  # noqa: ANN401 - passed on
    # The encoding of a pipe may lack the characters of a table's lines. No verdict is lost
    # because of that.
    buffer: Any = raw if write_through else io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, errors="replace", write_through=write_through, **more)
