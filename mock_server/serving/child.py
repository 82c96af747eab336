"""``serve -- COMMAND ...``: a command that runs while the sandbox does."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

from mock_server.exit_status import CANNOT_RUN
from mock_server.shell.mistakes import fail
from pytest_turris.doors.environment import no_proxy_for

_PATIENCE = 1
"""Seconds that the command has to end after a signal; an orchestrator gives us a few more."""

_BY_SIGNAL = 128


def run_command(command: Sequence[str], variables: Mapping[str, str], base_url: str) -> int:
    """Run a command until it ends, and return its exit status as a shell does.

    SIGTERM and SIGHUP are passed on; a command that ignores them for a second is killed. A terminal
    sends Ctrl-C to both. Any other SIGINT may have come to this process alone, so a command that
    still runs after a second gets it too.

    Args:
        command: The program and its arguments.
        variables: What it finds in its environment, besides that of this process.
        base_url: The sandbox's URL, which needs no proxy.
    """
    environment = {**os.environ, **no_proxy_for(os.environ, base_url), **variables}
    children: list[subprocess.Popen[bytes]] = []
    received: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        for child in children:
            child.send_signal(number)
            signal.alarm(_PATIENCE)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        # The second of two interrupts would cut short how the command ends after the first.
        if not received and not _is_in_foreground():
            signal.alarm(_PATIENCE)

    def lose_patience(_number: int, _frame: FrameType | None) -> None:
        for child in children:
            child.send_signal(signal.SIGKILL if received else signal.SIGINT)

    # Before the command starts: a signal in between must reach it too. Unlike SIG_IGN, a handler is
    # not inherited.
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGALRM, lose_patience)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    try:
        children.append(subprocess.Popen(command, env=environment))  # noqa: S603 - the user's own
    except OSError as error:
        fail(f"cannot run {command[0]!r}: {error.strerror}", CANNOT_RUN)
    for early in tuple(received):
        pass_on(early, None)
    return _status_of(children[0])


def _status_of(child: subprocess.Popen[bytes]) -> int:
    """Wait for a command, and return its exit status as a shell does.

    Without a timeout, a signal that comes just before the wait begins would wake nothing: Python
    runs its handler only after the system call.
    """
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = child.wait(_PATIENCE)
            return status if status >= 0 else _BY_SIGNAL - status


def _is_in_foreground() -> bool:
    """Whether this process is in the group that a terminal sends Ctrl-C to, as the command is."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:  # there is no terminal
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
