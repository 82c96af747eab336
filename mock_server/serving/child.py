"""``serve -- COMMAND ...``: a command that runs while the sandbox does."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

from mock_server.exit_status import CANNOT_RUN
from mock_server.shell.mistakes import fail
from pytest_turris.doors.environment import no_proxy_for

_PATIENCE = 1
"""Seconds that the command has to end after SIGTERM; an orchestrator gives us a few more."""

_BY_SIGNAL = 128


def run_command(command: Sequence[str], variables: Mapping[str, str], base_url: str) -> int:
    """Run a command until it ends, and return its exit status as a shell does.

    Ctrl-C reaches the command too, because a terminal sends it to both; SIGTERM and SIGHUP are
    passed on. A command that ignores them for a second is killed.

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

    # Before the command starts: a signal in between must reach it too. Unlike SIG_IGN, a handler is
    # not inherited.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGALRM, lambda *_: children[0].kill())
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    try:
        children.append(subprocess.Popen(command, env=environment))  # noqa: S603 - the user's own
    except OSError as error:
        fail(f"cannot run {command[0]!r}: {error.strerror}", CANNOT_RUN)
    for early in tuple(received):
        pass_on(early, None)
    status = children[0].wait()
    return status if status >= 0 else _BY_SIGNAL - status
