"""``serve --clock-file``: the sandbox's clock for processes in any language, by libfaketime."""

import contextlib
import datetime as dt
from collections.abc import Callable
from pathlib import Path

from mock_server.serving.files.env_file import replaceable, write_file
from pytest_turris.core.clock import Clock


class ClockFile:
    """Keeps a file for libfaketime (``FAKETIME_TIMESTAMP_FILE``) in step with a clock.

    It holds the offset from the machine's time, as ``+3360.000000``: a process that reads it goes
    on with the machine's seconds, as the sandbox does.

    Args:
        path: The file, or a symbolic link to it; it is replaced as a whole whenever the clock is
            moved.
        clock: The clock.
        on_error: Called if the file cannot be written when the clock is moved, which it is anyway.

    Raises:
        OSError: The file cannot be written at the beginning.
    """

    def __init__(self, path: Path, clock: Clock, on_error: Callable[[OSError], object]) -> None:
        self._path = path
        self._clock = clock
        self._on_error = on_error
        self._write(clock.offset)
        clock.on_move = self._follow

    def close(self) -> None:
        """Remove the file: processes that read it get the machine's time again."""
        self._clock.on_move = None
        with contextlib.suppress(OSError):  # what took its place stays
            replaceable(self._path).unlink(missing_ok=True)

    def _follow(self, offset: dt.timedelta) -> None:
        try:
            self._write(offset)
        except OSError as error:
            self._on_error(error)

    def _write(self, offset: dt.timedelta) -> None:
        write_file(self._path, f"{offset.total_seconds():+.6f}\n")
