"""Receivers that ``--start`` runs, with their keys in the environment."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from mock_server.attacking.masking import end_of
from pytest_turris.attacks.step import NotStartedError
from pytest_turris.core.wire.hosts import LOOPBACK
from pytest_turris.findings.errors import NotApplicableError

_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_PAUSE = 0.02
_SHOWN = 300


class StartError(Exception):
    """The receiver did not start: it ended, or does not listen."""


class StartedReceiver:
    """One process of the receiver, and its children.

    Args:
        command: A line for the shell.
        variables: What is added to the environment.
        port: The port on which it is to listen.
        log: The file that its output is added to.

    Raises:
        StartError: It ended before it listened, or does not listen within 30 s.
    """

    def __init__(self, command: str, variables: Mapping[str, str], port: int, log: Path) -> None:
        self._port = port
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S602 - the user's own line for a shell
                command,
                shell=True,
                env=os.environ | variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # its children are ended with it
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process and its children, and wait for them."""
        _ = self._ends_by(signal.SIGTERM) or self._ends_by(signal.SIGKILL)

    def _ends_by(self, number: signal.Signals) -> bool:
        """Whether a signal ends them within some seconds."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        end = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None and not _listens(self._port):
                return True
            time.sleep(_PAUSE)
        return False

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if (status := self._process.poll()) is not None:
                raise StartError(f"it ended with exit status {status} before it listened")
            if _listens(self._port):
                return
            time.sleep(_PAUSE)
        raise StartError(
            f"it does not listen on port {self._port} after {_START_SECONDS:.0f} s; "
            "the variable PORT has the number"
        )


class StartedReceivers:
    """The receiver at the URL, and further ones with other keys on ports of their own.

    The receiver finds in its environment: the signing key, the ``upstreamEntityId`` as
    ``TURRIS_UPSTREAM_ENTITY_ID``, and ``PORT``, on which it must listen.

    Args:
        command: A line for the shell.
        url: The receiver's URL.
        key: The signing key.
        key_variable: The environment variable of the signing key.
        previous_key_variable: That of the key before, while a key is rotated; may be empty.
        variables: What else is added to the environment.
        log: The file that all output is added to.

    Raises:
        StartError: The receiver does not start, or something else listens at the URL.
    """

    def __init__(
        self,
        command: str,
        url: str,
        *,
        key: str,
        key_variable: str,
        previous_key_variable: str,
        variables: Mapping[str, str],
        log: Path,
    ) -> None:
        self._command = command
        self._url = url
        self._key = key
        self._key_variable = key_variable
        self._previous_key_variable = previous_key_variable
        self._variables = dict(variables)
        self._log = log
        self._others: dict[tuple[str, ...], tuple[str, StartedReceiver]] = {}
        parts = urlsplit(url)
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        if _listens(self._port):
            raise StartError(f"something listens on port {self._port} already: stop it first")
        self._own = self._start([key], self._port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._own.stop()
        for _, other in self._others.values():
            other.stop()

    def restart(self) -> None:
        """Stop the receiver at the URL, and start it again.

        Raises:
            NotStartedError: It still listens after its end, or does not start again.
        """
        self._own.stop()
        if _listens(self._port):
            raise NotStartedError(
                f"--start: port {self._port} is in use after its process ended. Let the command "
                "run the receiver in the foreground, so that a signal ends all of it"
            )
        try:
            self._own = self._start([self._key], self._port)
        except StartError as error:
            said = f"; it wrote: {last_words(self._log)}"
            raise NotStartedError(f"--start, the second time: {error}{said}") from None

    def with_keys(self, keys: Sequence[str]) -> str:
        """Return the URL, without path, of a receiver with these keys, the current one first.

        Raises:
            NotApplicableError: The receiver cannot be given two keys, or it does not start with
                them; it must have started with the right key first, or this would mean nothing.
        """
        if len(keys) > 1 and not self._previous_key_variable:
            raise NotApplicableError("needs a receiver with two keys: --previous-secret-env NAME")
        try:
            self._other((self._key,))
            return self._other(tuple(keys))
        except StartError as error:
            reason = f"--start runs no second receiver on $PORT: {error}"
            raise NotApplicableError(reason) from None

    def _other(self, keys: tuple[str, ...]) -> str:
        """The URL of a receiver with these keys, which is started once."""
        if keys not in self._others:
            port = _free_port()
            self._others[keys] = (self._at(port), self._start(keys, port))
        return self._others[keys][0]

    def _at(self, port: int) -> str:
        parts = urlsplit(self._url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{parts.scheme}://{host}:{port}"

    def _start(self, keys: Sequence[str], port: int) -> StartedReceiver:
        given = {self._key_variable: keys[0], "PORT": str(port)}
        if self._previous_key_variable:
            given[self._previous_key_variable] = keys[1] if len(keys) > 1 else ""
        return StartedReceiver(self._command, self._variables | given, port, self._log)


def log_since(log: Path, begin: int = 0) -> str:
    """Return the text of a log from a byte on.

    Args:
        log: The file; if it does not exist, its text is empty.
        begin: The first byte.
    """
    try:
        return log.read_bytes()[begin:].decode(errors="replace")
    except OSError:
        return ""


def last_words(log: Path) -> str:
    """Return the end of a log, for the message about a receiver that did not start."""
    return end_of(log_since(log), _SHOWN)


def _listens(port: int) -> bool:
    for family, host in ((socket.AF_INET, LOOPBACK), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), socket.socket(family) as tried:
            tried.settimeout(1)
            tried.connect((host, port))
            return True
    return False


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind((LOOPBACK, 0))
        port: int = tried.getsockname()[1]
    return port
