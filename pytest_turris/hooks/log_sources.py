"""Where the application of a test keeps its audit log: in loggers, in files, or in both."""

from collections.abc import Iterable
from pathlib import Path

from pytest_turris.audit.leaks.traces import Trace
from pytest_turris.audit.places import NOWHERE
from pytest_turris.audit.rules.log import LogLine
from pytest_turris.audit.rules.log_file import LogFile


class LogSources:
    """What is written to some loggers and files from now on.

    Args:
        loggers: The names of loggers; those below them count too.
        files: The files.

    Raises:
        DeclarationError: One of the files is a directory, for example.
    """

    def __init__(self, loggers: Iterable[str], files: Iterable[Path]) -> None:
        self.loggers: set[str] = set(loggers)
        self._files: dict[Path, LogFile] = {}
        self.problems: list[str] = []
        """The files that cannot be read at the end, in sentences."""
        for file in files:
            self.add_file(file)

    def add_file(self, file: Path) -> None:
        """Count a file in, as the constructor does."""
        self._files[file] = LogFile(file)

    def lines(self, traces: Iterable[Trace]) -> list[LogLine] | None:
        """The records since then; None if none are named, or if a file is unreadable.

        Args:
            traces: What the test wrote, to the log among others.
        """
        if not (self.loggers or self._files):
            return None
        lines = [
            LogLine(trace.message, trace.text, trace.call)
            for trace in traces
            if trace.check == "LK-01" and self._is_one(trace.name)
        ]
        for path, file in self._files.items():
            try:
                added = file.added()
            except OSError as error:
                reason = error.strerror or error
                self.problems.append(
                    f"the audit log {path} cannot be read, so it was not judged: {reason}"
                )
                return None
            lines += [LogLine(line, line, NOWHERE) for line in added.split("\n") if line]
        return lines

    def _is_one(self, name: str) -> bool:
        return any(name == one or name.startswith(f"{one}.") for one in self.loggers)
