"""What the receiver did, as reported by a command or a URL of the user."""

import contextlib
import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

from mock_server.attacking.shell import output_of
from pytest_turris.attacks.hooks import FailureMode, HookError
from pytest_turris.core.text.redaction import redact_target
from pytest_turris.receivers.egress import check_egress
from pytest_turris.receivers.exchange import Post
from pytest_turris.receivers.socket_post import post_over_socket

_SECONDS = 30.0


def effects_of_command(command: str) -> Callable[[], Any]:
    """Return a probe that runs a command: it prints a number, or what is stored, row by row.

    Args:
        command: A line for the shell, such as ``psql -Atc 'select * from agents'``.
    """
    return lambda: _effects(output_of("--effects", command))


def effects_of_url(url: str, *, allow: Collection[str]) -> Callable[[], Any]:
    """Return a probe that gets a URL: it answers a number, or what is stored, as JSON or text.

    Args:
        url: A URL on this machine.
        allow: The ``host:port`` pairs outside this machine that it may lead to.

    Raises:
        EgressRefused: The URL leads elsewhere.
    """
    check_egress(url, allow=allow)

    def probe() -> Any:  # noqa: ANN401 - a number or a snapshot of any shape
        sent = Post(headers=(), body=b"", method="GET")
        try:
            answer = post_over_socket(check_egress(url, allow=allow), sent, timeout=_SECONDS)
        except OSError as error:
            raise HookError(f"--effects-url {redact_target(url)}: {error}") from None
        if not answer.accepted:
            told = f"--effects-url {redact_target(url)}: it answered {answer.status_code}"
            raise HookError(told)
        return _effects(answer.text)

    return probe


def failing_work(command: str) -> Callable[[FailureMode], contextlib.AbstractContextManager[None]]:
    """Return what makes the receiver's work fail or slow, and mends it afterwards.

    The command is run with the mode as its last argument, or in the place of ``{mode}``:
    ``before``, ``after``, ``slow`` at the beginning, and ``none`` at the end.

    Args:
        command: A line for the shell.
    """

    @contextlib.contextmanager
    def failing(mode: FailureMode) -> Iterator[None]:
        _switch(command, mode)
        try:
            yield
        finally:
            _switch(command, "none")

    return failing


def _switch(command: str, mode: str) -> None:
    line = command.replace("{mode}", mode) if "{mode}" in command else f"{command} {mode}"
    output_of("--failing-work", line)


def _effects(text: str) -> Any:  # noqa: ANN401 - a number or a snapshot of any shape
    """A number, a JSON value, or the lines of a text."""
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(text)
    return text.split("\n")
