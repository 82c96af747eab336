"""Runs the user's shell commands: returns what they print, or raises an error if they fail."""

import subprocess

from mock_server.attacking.masking import end_of
from pytest_turris.attacks.hooks import HookError
from pytest_turris.core.text.redaction import redact

_SECONDS = 60.0
_SHOWN = 200


def output_of(option: str, command: str) -> str:
    """Run a command of the user, and return what it printed.

    Args:
        option: The option of the command line, for errors.
        command: A line for the shell.

    Raises:
        HookError: Its exit status is not 0, or it takes more than a minute.
    """
    program = command.strip().partition(" ")[0]  # the rest may hold a password
    try:
        done = subprocess.run(  # noqa: S602 - the user's own line, written for a shell
            command,
            shell=True,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HookError(f"{option}: {program!r} ran longer than {_SECONDS:.0f} s") from None
    if done.returncode:
        said = end_of(redact((done.stderr or done.stdout).decode(errors="replace")), _SHOWN)
        raise HookError(f"{option}: {program!r} exited with {done.returncode}: {said}")
    return done.stdout.decode(errors="replace")
