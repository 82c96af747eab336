"""The server's log: it neither blocks the server nor lets a client forge a line."""

import io
import json
import logging
import re
import threading
import time

import pytest

from mock_server.serving import log
from mock_server.serving.log import ServerLog, logs_of_libraries, standard_error

TIMED = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  (.*)"


class Blocked(io.StringIO):
    """A pipe that is not read until ``release`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()
        self.reached = threading.Event()
        self.writes = 0

    def write(self, text: str) -> int:
        """Wait for the reader."""
        self.writes += 1
        self.reached.set()
        self.release.wait(10)
        return super().write(text)


def texts(stream: io.StringIO) -> list[str]:
    """The lines without their times."""
    lines = [re.fullmatch(TIMED, line) for line in stream.getvalue().splitlines()]
    return [found[1] for found in lines if found]


def test_lines_are_written_in_order() -> None:
    """``close`` waits for what was logged before."""
    stream = io.StringIO()
    server_log = ServerLog(stream)
    for number in range(3):
        server_log.write(f"line {number}")
    server_log.close()
    assert texts(stream) == ["line 0", "line 1", "line 2"]


def test_last_line_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was logged right before the end is written, whatever the thread is doing then."""
    monkeypatch.setattr(log, "_CLOSE_SECONDS", 60)
    for number in range(100):
        stream = io.StringIO()
        ended = ServerLog(stream)
        ended.write("first")
        time.sleep(number % 5 * 0.006)
        ended.write("last")
        ended.close()
        assert texts(stream) == ["first", "last"]


def test_pipe_that_is_not_read_blocks_no_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines wait up to a bound; later ones are dropped, and counted in a line of the log."""
    monkeypatch.setattr(log, "_CAPACITY", 2)
    monkeypatch.setattr(log, "_CLOSE_SECONDS", 0.01)
    stream = Blocked()
    server_log = ServerLog(stream)
    server_log.write("first")
    assert stream.reached.wait(10)
    for number in range(5):
        server_log.write(f"line {number}")
    server_log.close()  # gives up: the pipe is still not read
    stream.release.set()
    server_log._thread.join(10)
    assert texts(stream) == [
        "first",
        "line 0",
        "line 1",
        "warning: 3 lines before this one were dropped",
    ]


def test_a_burst_of_lines_is_written_together() -> None:
    """Waking the thread for each line would take as long as answering the request."""
    stream = Blocked()
    server_log = ServerLog(stream)
    server_log.write("first")
    assert stream.reached.wait(10)
    for number in range(600):
        server_log.write(f"line {number}")
    stream.release.set()
    server_log.close()
    assert texts(stream) == ["first", *(f"line {number}" for number in range(600))]
    assert stream.writes <= 5


@pytest.mark.parametrize("close", [True, False])
def test_missing_or_closed_stream_is_no_error(close: bool) -> None:
    """The server goes on without a log."""
    stream = io.StringIO() if close else None
    if stream:
        stream.close()
    server_log = ServerLog(stream)
    server_log.write("line")
    server_log.close()
    assert not server_log._thread.is_alive()


def test_control_characters_are_escaped() -> None:
    """A client cannot add a line, or move the cursor of a terminal."""
    stream = io.StringIO()
    server_log = ServerLog(stream)
    server_log.write("GET /\x1b[2J\r\nGET /v1/agents -> 200 \x07 Straße")
    server_log.close()
    assert texts(stream) == ["GET /\\x1b[2J\\r\\nGET /v1/agents -> 200 \\x07 Straße"]


def test_lines_as_json() -> None:
    """Each is an object with its time and level, and a client cannot forge one."""
    stream = io.StringIO()
    server_log = ServerLog(stream, as_json=True)
    server_log.write('GET /"}\n{"level": "error"}')
    server_log.warn("refused")
    server_log.close()
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["message"] == 'GET /"}\n{"level": "error"}'
    assert (first["level"], second["level"]) == ("info", "warning")
    assert first["time"].endswith("Z")


def test_lower_levels_are_left_out() -> None:
    """``warning`` leaves out exchanges, and keeps refusals."""
    stream = io.StringIO()
    server_log = ServerLog(stream, level="warning")
    server_log.write("GET /v1/agents -> 200")
    server_log.warn("GET / -> 421")
    server_log.write("a bug", "error")
    server_log.close()
    assert texts(stream) == ["warning: GET / -> 421", "error: a bug"]


def test_standard_error_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """What ``serve`` uses."""
    server_log = standard_error()
    server_log.write("line")
    server_log.close()
    assert capsys.readouterr().err.endswith("  line\n")


class Unprintable:
    """Fails as a message does that needs a file where none can be opened."""

    def __str__(self) -> str:
        raise OSError(24, "Too many open files")


def test_a_message_that_cannot_be_written_raises_nothing() -> None:
    """It may come from the handler of exceptions of the event loop, which would end."""
    stream = io.StringIO()
    log = ServerLog(stream)
    record = logging.LogRecord("a.library", logging.ERROR, "", 1, "odd %s", (Unprintable(),), None)
    with logs_of_libraries(log):
        logging.getLogger().handlers[-1].emit(record)
    log.close()
    assert stream.getvalue().endswith("error: a message of a.library cannot be written: OSError\n")


@pytest.mark.parametrize(
    ("level", "line"),
    [(logging.WARNING, "warning: odd ***-"), (logging.ERROR, "error: odd ***-")],
)
def test_libraries_log_here_too(level: int, line: str) -> None:
    """In one line each, without tokens; and no more after the end."""
    stream = io.StringIO()
    log = ServerLog(stream)
    logger = logging.getLogger("a.library")
    with logs_of_libraries(log):
        logger.info("not shown")
        logger.log(level, "odd %s\n", f"eyJhbGciOiJSUzI1NiJ9.{'a' * 40}.{'b' * 40}")
    logger.log(level, "after the end")
    log.close()
    (shown,) = stream.getvalue().splitlines()
    assert line in shown
    assert "a" * 40 not in shown
    assert shown.endswith("\\n")
