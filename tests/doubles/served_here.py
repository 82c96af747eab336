"""A standalone sandbox in this process, and its log."""

import contextlib
from collections.abc import Iterator

from mock_server.serving.log import LogLevel, ServerLog
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox


class KeptLog(ServerLog):
    """Keeps what is logged."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(None)
        self._kept = lines
        self.close()  # its thread has nothing to write, and would outlive the test

    def write(self, message: str, level: LogLevel = "info") -> None:
        """Keep it."""
        self._kept.append(message if level == "info" else f"{level}: {message}")


@contextlib.contextmanager
def served(
    options: Options | None = None,
    settings: ServerSettings | None = None,
    log: list[str] | None = None,
) -> Iterator[StandaloneSandbox]:
    """Serve a sandbox on a free port."""
    lines = [] if log is None else log
    with (
        StandaloneSandbox(
            Sandbox(options), settings or ServerSettings(), KeptLog(lines)
        ) as running,
    ):
        yield running
