"""Where a secret may show: log records, output, warnings and files, while the context is open."""

import builtins
import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_turris.process.output import Tee
from pytest_turris.process.patch import Patch

_PRIVATE = 0o077
_READ = 1_048_576


@dataclass
class Traces:
    """What the code under test left behind. Nothing of it is ever shown."""

    messages: list[str] = field(default_factory=list, repr=False)
    """The messages of log records alone."""
    records: list[str] = field(default_factory=list, repr=False)
    output: list[str] = field(default_factory=list, repr=False)
    written: set[str] = field(default_factory=set)

    def leak(self, needles: list[str]) -> str:
        """In words, where one of the secrets shows; or empty."""
        logged = self.messages + self.records
        for where, texts in (("a log record", logged), ("the output", self.output)):
            if any(needle in text for text in texts for needle in needles):
                return where
        return ""

    def public_file(self, needles: list[str]) -> str:
        """The name of a written file that holds a secret and that others may read; or empty."""
        for name in sorted(self.written):
            path = Path(name)
            with contextlib.suppress(OSError):
                text = path.read_bytes()[:_READ].decode("utf-8", "replace")
                if any(needle in text for needle in needles) and path.stat().st_mode & _PRIVATE:
                    return f"{path.name} (mode {path.stat().st_mode & 0o777:04o})"
        return ""


@contextlib.contextmanager
def watch() -> Iterator[Traces]:
    """Look at every log record of every logger, at stdout, stderr, warnings and opened files."""
    traces = Traces()
    with (
        _records(traces),
        _output(traces.output),
        _files(traces.written),
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("always")
        yield traces
    traces.output += [str(warning.message) for warning in warned]


@contextlib.contextmanager
def _records(traces: Traces) -> Iterator[None]:
    """Every record, of loggers that do not propagate too, at each level that nobody turned off.

    What a library was told to keep to itself, by a level of its own logger, it may keep.
    """
    call_handlers, enabled = logging.Logger.callHandlers, logging.Logger.isEnabledFor

    def keep(logger: logging.Logger, record: logging.LogRecord) -> None:
        if _is_server(logger):
            return call_handlers(logger, record)
        extra = {k: v for k, v in vars(record).items() if k not in ("msg", "args", "exc_info")}
        with contextlib.suppress(Exception):
            traces.messages.append(record.getMessage())
        traces.records.append(repr(extra))
        if record.exc_info:
            traces.records.append(logging.Formatter().formatException(record.exc_info))
        if enabled(logger, record.levelno):
            call_handlers(logger, record)
        return None

    def audible(logger: logging.Logger, level: int) -> bool:
        if _is_server(logger):
            return enabled(logger, level)
        current: logging.Logger | None = logger
        while current is not None and current.parent is not None:
            if current.level:
                return level >= current.level
            current = current.parent
        return True

    with Patch(
        (logging.Logger, "callHandlers", lambda _: keep),
        (logging.Logger, "isEnabledFor", lambda _: audible),
    ):
        yield


def _is_server(logger: logging.Logger) -> bool:
    """Whether the record is the sandbox' own server's, not the client's."""
    return logger.name.partition(".")[0] == "uvicorn"


@contextlib.contextmanager
def _output(kept: list[str]) -> Iterator[None]:
    with (
        contextlib.redirect_stdout(Tee(sys.stdout, kept)),
        contextlib.redirect_stderr(Tee(sys.stderr, kept)),
    ):
        yield


@contextlib.contextmanager
def _files(written: set[str]) -> Iterator[None]:
    """The names of files that are opened for writing, through ``open``, pathlib or ``os.open``."""
    text_open, low_open = builtins.open, os.open

    def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as open
        if not isinstance(file, int) and set(mode) & set("wax+"):
            written.add(os.fsdecode(file))
        return text_open(file, mode, *args, **kwargs)

    def opened_low(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:  # noqa: ANN401 - as os.open
        if flags & (os.O_WRONLY | os.O_RDWR):
            written.add(os.fsdecode(path))
        return low_open(path, flags, *args, **kwargs)

    with Patch(
        (builtins, "open", lambda _: opened),
        (io, "open", lambda _: opened),
        (os, "open", lambda _: opened_low),
    ):
        yield
