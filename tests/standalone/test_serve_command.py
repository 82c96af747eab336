"""``turris-sandbox serve -- COMMAND``: a command that runs while the sandbox does."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from doubles.served_sandbox import COMMAND

from mock_server.serving import child
from mock_server.serving.child import run_command


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``serve`` with a command."""
    return subprocess.run(
        [*COMMAND, "serve", "--port", "0", "--", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.fixture
def signals() -> Iterator[None]:
    """The handlers of this process are afterwards as before."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    signal.alarm(0)
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_command_runs_while_the_sandbox_does() -> None:
    """It finds it in its environment; its output and its status are the command's."""
    program = (
        "import os, sys, urllib.request as r\n"
        "url = os.environ['TURRIS_BASE_URL']\n"
        "print(r.urlopen(url + '/__sandbox__/ready').status, os.environ['NO_PROXY'])\n"
        "sys.exit(7)"
    )
    done = run(sys.executable, "-c", program, HTTP_PROXY="http://127.0.0.1:9", NO_PROXY="a.example")
    assert (done.returncode, done.stdout) == (7, "200 a.example,127.0.0.1\n")
    assert done.stderr.endswith("stopped\n")


def test_command_that_a_signal_ends_or_that_there_is_not() -> None:
    """The statuses are those of a shell."""
    assert run("sh", "-c", "kill -TERM $$").returncode == 128 + signal.SIGTERM
    missing = run("no-such-program")
    assert missing.returncode == 127
    assert "cannot run 'no-such-program': No such file or directory" in missing.stderr


def test_signals_are_passed_on_to_the_command() -> None:
    """SIGTERM ends both; a command that ignores it is killed."""
    program = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--", "sh", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        process.wait(15)
    assert process.returncode == 128 + signal.SIGKILL


def test_an_interrupt_of_the_server_alone_reaches_the_command() -> None:
    """As from a supervisor without a terminal: the command ends as it does after Ctrl-C."""
    program = "trap 'exit 5' INT; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--", "sh", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(60) == 5
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


@pytest.mark.parametrize(("is_terminal", "seconds"), [(True, 0), (False, 1)])
def test_an_interrupt_at_a_terminal_is_not_doubled(
    monkeypatch: pytest.MonkeyPatch, signals: None, is_terminal: bool, seconds: int
) -> None:
    """The terminal has sent it to the command as well; else the command gets it after a moment."""
    monkeypatch.setattr(child, "_is_in_foreground", lambda: is_terminal)
    left: list[int] = []
    start = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        signal.raise_signal(signal.SIGINT)
        left.append(signal.alarm(0))
        return start(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    assert run_command(["true"], {}, "http://127.0.0.1:8791") == 0
    assert left == [seconds]


def test_what_a_terminal_interrupts_is_known() -> None:
    """Its foreground has a terminal of its own; a process of another session has none."""
    program = "from mock_server.serving import child; print(child._is_in_foreground())"
    alone = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, start_new_session=True
    )
    assert alone.stdout == b"False\n"
    within = f"import pty, sys; pty.spawn([sys.executable, '-c', {program!r}])"
    at_terminal = subprocess.run(
        [sys.executable, "-c", within], stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    assert at_terminal.stdout == b"True\r\n"


def test_signal_that_comes_before_the_command_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, signals: None
) -> None:
    """It is kept until there is something to pass it on to."""
    start = subprocess.Popen

    def late(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        signal.raise_signal(signal.SIGTERM)
        return start(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", late)
    assert run_command(["sleep", "60"], {}, "http://127.0.0.1:8791") == 128 + signal.SIGTERM
