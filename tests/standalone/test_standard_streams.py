"""Standard streams that are closed, read-only or full."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from doubles.served_sandbox import COMMAND

UNWRITABLE = [">&-", ">/dev/full", "1</dev/null", "<&- >&- 2>&-"]


def in_shell(redirection: str, *words: str, buffered: bool = True) -> "subprocess.Popen[str]":
    """Start the command line with its streams redirected."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment if buffered else environment | {"PYTHONUNBUFFERED": "1"},
    )


def free_port() -> int:
    """A port that nothing uses."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def ready(port: int) -> bool:
    """Whether a sandbox answers at a port within a minute."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/__sandbox__/ready") as answer:
                return int(answer.status) == 200
        except OSError:
            time.sleep(0.1)
    return False


@pytest.mark.parametrize("redirection", UNWRITABLE)
def test_serves_without_standard_output(redirection: str) -> None:
    """The first lines are lost; requests are answered, and Ctrl-C ends it with status 0."""
    port = free_port()
    with in_shell(redirection, "serve", "--port", str(port)) as process:
        answers = ready(port)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert answers
    assert process.returncode == 0
    assert "Traceback" not in said


def test_files_do_not_take_the_numbers_of_closed_streams(tmp_path: Path) -> None:
    """What is printed is written into no file that the server opened, such as its store."""
    port, store = free_port(), tmp_path / "store.db"
    words = ("serve", "--port", str(port), "--store", str(store))
    with in_shell("<&- >&- 2>&-", *words) as process:
        answers = ready(port)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert answers
    assert process.returncode == 0
    assert store.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("redirection", UNWRITABLE[:3])
def test_output_that_cannot_be_written_is_one_line(redirection: str, *, buffered: bool) -> None:
    """On standard error, with exit status 1 and without a traceback."""
    with in_shell(redirection, "explain", "WH-05", buffered=buffered) as process:
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert said.startswith("turris-sandbox: cannot write to standard output: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_errors_that_cannot_be_written_change_no_exit_status(redirection: str) -> None:
    """What is printed arrives, and a usage error still is one."""
    with in_shell(redirection, "explain", "WH-05") as process:
        printed = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    assert "WH-05" in printed
    with in_shell(redirection, "explain") as process:
        process.communicate(timeout=60)
    assert process.returncode == 2
