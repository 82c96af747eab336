"""Finds secrets in log records, output, warnings and files."""

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pytest_turris.conformance.observation.files import WrittenFiles, written_files
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.process.output import captured_streams
from pytest_turris.process.patch import Patch
from pytest_turris.time_travel.travel import TimeTravel

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
    files: WrittenFiles = field(default_factory=WrittenFiles)
    """What was written."""

    def find_secret(self, secrets: list[str]) -> str:
        """Where one of the secrets shows, in words; or empty."""
        logged = self.messages + self.records
        for where, texts in (("a log record", logged), ("the output", self.output)):
            if any(secret in text for text in texts for secret in secrets):
                return where
        return ""


def holders_of(call: Callable[[], object]) -> list[object]:
    """The objects that a call refers to: most likely the client."""
    holders = [getattr(call, "__self__", None)]
    for cell in getattr(call, "__closure__", None) or ():
        with contextlib.suppress(ValueError):
            holders.append(cell.cell_contents)
    return [
        held for held in holders if held is not None and not isinstance(held, Sandbox | TimeTravel)
    ]


@contextlib.contextmanager
def watch(*, search_files: bool = False) -> Iterator[Traces]:
    """Collect log records of all loggers, output, warnings and the names of written files.

    Args:
        search_files: As for ``written_files``.
    """
    traces = Traces()
    with (
        _records(traces),
        captured_streams(traces.output),
        written_files(traces.files, search=search_files),
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
