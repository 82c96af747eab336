"""The taps of the leak watch: what the process logs, starts, sends and writes, with who did it.

They are in place for a whole run; each test gives its own ``LeakTraces``.
"""

import contextlib
import logging
import socket
import ssl
import sys
import warnings
from collections.abc import Callable
from types import CodeType
from typing import Any

from pytest_turris.audit.leaks.children import starting_taps
from pytest_turris.audit.leaks.hooks import hook_taps
from pytest_turris.audit.leaks.other_hosts import LIBRARIES, sending_taps
from pytest_turris.audit.leaks.traces import LeakTraces, Trace, exception_texts, repr_of
from pytest_turris.audit.places import NOWHERE, CallSite, call_of
from pytest_turris.conformance.observation.files import WrittenFiles, written_files
from pytest_turris.doors.in_process.import_hook import ImportHook
from pytest_turris.process.patch import Patch, Replacement

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SENDERS = ("send", "sendall", "sendmsg", "sendto")


class Taps:
    """The taps of one process; ``traces`` are those of the test that runs."""

    def __init__(self) -> None:
        self.traces: LeakTraces = LeakTraces()
        self.passed_over: tuple[type[Warning], ...] = ()
        """Warnings that repeat what another tap saw."""
        self._sent_from: dict[int, CallSite] = {}
        self._installed = contextlib.ExitStack()
        self._files = WrittenFiles()

    def begin(self, test: CodeType | None) -> LeakTraces:
        """Keep what follows as another test's."""
        self.traces = LeakTraces(test)
        self._files.opened, self._files.renamed = self.traces.opened, self.traces.renamed
        return self.traces

    def sent_from(self, port: int) -> CallSite:
        """Who sent last from a port of this process."""
        return self._sent_from.get(port, NOWHERE)

    def install(self) -> None:
        """Put the taps in place."""
        self.begin(None)
        replacements: list[Replacement] = [
            (logging.Logger, "callHandlers", self._logging),
            (logging.Logger, "isEnabledFor", _listening),
            *((socket.socket, name, self._sending) for name in _SENDERS),
            *((ssl.SSLSocket, name, self._sending) for name in _SENDERS[:2]),
            (ssl.SSLObject, "write", self._encrypting),
            (warnings, "warn", self._warning),
            (warnings, "_showwarnmsg", self._showing),
            *starting_taps(self._note),
            *hook_taps(self._note),
        ]
        self._installed.enter_context(Patch(*replacements))
        self._installed.enter_context(written_files(self._files))
        self._installed.enter_context(ImportHook(LIBRARIES, self._tap_library))

    def _tap_library(self, library: str) -> None:
        self._installed.enter_context(Patch(*sending_taps(library, self._note)))

    def _note(self, check: str, text: str, *, name: str, call: CallSite | None = None) -> None:
        self.traces.note(check, text, name=name, call=call)

    def remove(self) -> None:
        """Put everything back."""
        self._installed.close()

    def _logging(self, original: Callable[..., None]) -> Callable[..., None]:
        enabled = _original_enabled

        def keep(logger: logging.Logger, record: logging.LogRecord) -> None:
            self.note_record(record)
            if enabled(logger, record.levelno):
                original(logger, record)

        return keep

    def note_record(self, record: logging.LogRecord) -> None:
        """Keep a log record: its message, what was added to it, and its traceback."""
        if record.name.startswith("uvicorn"):
            return  # the sandbox's own server
        try:
            parts = [record.getMessage()]
        except Exception:  # noqa: BLE001 - any mistake of the application, which logging reports
            parts = [repr_of(record.msg), repr_of(record.args)]
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if extra:
            parts.append(repr_of(extra))
        if record.exc_info and record.exc_info[1] is not None:
            parts += exception_texts(record.exc_info[1])
        traces = self.traces
        call = call_of(sys._getframe(1), traces.test)  # noqa: SLF001 - fast
        traces.keep(Trace("LK-01", "\n".join(parts), call, record.name, 0, parts[0]))

    def _warning(self, original: Callable[..., None]) -> Callable[..., None]:
        def warn(message: Any, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as warnings.warn
            if not isinstance(message, self.passed_over):
                self.traces.note("LK-03", str(message))
            named = dict(zip(("category", "stacklevel", "source"), args, strict=False)) | options
            named["stacklevel"] = named.get("stacklevel", 1) + 1  # this function is on the stack
            original(message, **named)

        return warn

    def _showing(self, original: Callable[..., None]) -> Callable[..., None]:
        """Where warnings arrive from code that has imported ``warn``, or calls another function."""

        def show(message: warnings.WarningMessage) -> None:
            if not isinstance(message.message, self.passed_over):
                self.traces.note("LK-03", str(message.message))
            original(message)

        return show

    def _sending(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def send(sock: socket.socket, data: Any, *rest: Any) -> Any:  # noqa: ANN401 - as socket.send
            # A closed socket, one of another family, or data that the original refuses.
            with contextlib.suppress(OSError, TypeError, ValueError, IndexError):
                port = int(sock.getsockname()[1])
                call = call_of(sys._getframe(1), self.traces.test)  # noqa: SLF001 - fast
                if call is not NOWHERE:
                    self._sent_from[port] = call
                    pieces = [data] if isinstance(data, bytes | bytearray | memoryview) else data
                    text = b"".join(bytes(piece) for piece in pieces).decode("latin-1")
                    self.traces.keep(Trace("LK-08", text, call, "a socket", port))
            return original(sock, data, *rest)

        return send

    def _encrypting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def write(connection: Any, data: Any) -> Any:  # noqa: ANN401 - as SSLObject.write
            call = call_of(sys._getframe(1), self.traces.test)  # noqa: SLF001 - fast
            if call is not NOWHERE:
                text = bytes(data).decode("latin-1")
                host = str(connection.server_hostname)
                self.traces.keep(Trace("LK-08", text, call, host))
            return original(connection, data)

        return write


_original_enabled = logging.Logger.isEnabledFor


def _listening(_: object) -> Callable[[logging.Logger, int], bool]:
    """A level that the application set on a library's logger counts, the root's does not.

    Another handler or another configuration would show what the root's level hides.
    """

    def audible(logger: logging.Logger, level: int) -> bool:
        if logger.disabled:
            return False
        current: logging.Logger | None = logger
        while current is not None and current.parent is not None:
            if current.level:
                return level >= current.level
            current = current.parent
        return True

    return audible
