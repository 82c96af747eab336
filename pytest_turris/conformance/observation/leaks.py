"""Where a secret may show: log records, output, warnings and files."""

import builtins
import contextlib
import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_turris.process.output import captured_streams
from pytest_turris.process.patch import Patch

_PRIVATE = 0o077
_READ = 1_048_576

Open = Callable[..., Any]
CallHandlers = Callable[[logging.Logger, logging.LogRecord], None]


@dataclass
class Traces:
    """What the code under test left behind. Its texts are never shown."""

    messages: list[str] = field(default_factory=list, repr=False)
    """The messages of log records alone."""
    records: list[str] = field(default_factory=list, repr=False)
    """The other attributes of log records, and formatted exceptions."""
    output: list[str] = field(default_factory=list, repr=False)
    """What was printed, and the texts of warnings."""
    written: set[str] = field(default_factory=set)
    """The names of files that were opened for writing."""

    def find_secret(self, secrets: list[str]) -> str:
        """Where one of the secrets shows, in words; or empty."""
        logged = self.messages + self.records
        for where, texts in (("a log record", logged), ("the output", self.output)):
            if any(secret in text for text in texts for secret in secrets):
                return where
        return ""

    def find_public_file(self, secrets: list[str]) -> str:
        """The name of a written file that holds a secret and that others may read; or empty."""
        for name in sorted(self.written):
            path = Path(name)
            with contextlib.suppress(OSError):
                text = path.read_bytes()[:_READ].decode("utf-8", "replace")
                if any(secret in text for secret in secrets) and path.stat().st_mode & _PRIVATE:
                    return f"{path.name} (mode {path.stat().st_mode & 0o777:04o})"
        return ""


@contextlib.contextmanager
def watch() -> Iterator[Traces]:
    """Collect log records of all loggers, output, warnings and the names of written files."""
    traces = Traces()
    with (
        _records(traces),
        captured_streams(traces.output),
        _files(traces.written),
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("always")
        yield traces
    traces.output += [str(warning.message) for warning in warned]


@contextlib.contextmanager
def _records(traces: Traces) -> Iterator[None]:
    """Every record that its own logger's level lets pass, of loggers that do not propagate too.

    A level that the application set on a library's logger counts. The root logger's level does
    not: another handler or another configuration would show what it hides.
    """
    enabled = logging.Logger.isEnabledFor

    def keeping(call_handlers: CallHandlers) -> CallHandlers:
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

        return keep

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
        (logging.Logger, "callHandlers", keeping),
        (logging.Logger, "isEnabledFor", lambda _: audible),
    ):
        yield


def _is_server(logger: logging.Logger) -> bool:
    """Whether the record is of the sandbox's own server, not of the client."""
    return logger.name.partition(".")[0] == "uvicorn"


@contextlib.contextmanager
def _files(written: set[str]) -> Iterator[None]:
    """The names of files that are opened for writing, through ``open``, pathlib or ``os.open``."""

    def noting(text_open: Open) -> Open:
        def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as open
            if not isinstance(file, int) and set(mode) & set("wax+"):
                written.add(os.fsdecode(file))
            return text_open(file, mode, *args, **kwargs)

        return opened

    def noting_flags(low_open: Open) -> Open:
        def opened(path: Any, flags: int, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as os.open
            if flags & (os.O_WRONLY | os.O_RDWR):
                written.add(os.fsdecode(path))
            return low_open(path, flags, *args, **kwargs)

        return opened

    with Patch(
        (builtins, "open", noting),
        (io, "open", noting),
        (os, "open", noting_flags),
    ):
        yield
