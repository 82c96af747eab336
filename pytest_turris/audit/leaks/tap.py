"""The taps of the leak watch: what the process logs, starts, sends and writes, with who did it.

They are in place for a whole run; each test gives its own ``LeakTraces``.
"""

import contextlib
import logging
import socket
import ssl
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Self

from pytest_turris.audit.places import NOWHERE, CallSite, call_of
from pytest_turris.conformance.observation.files import WrittenFiles, written_files
from pytest_turris.process.patch import Patch, Replacement

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_MOST = 20_000
_SENDERS = ("send", "sendall", "sendmsg")


@dataclass(slots=True)
class Trace:
    """One text that left the application.

    Args:
        check: The check of its channel, such as ``LK-01``.
        text: The text, as it was; it is never shown.
        call: Where it was made.
        name: The logger, the file, the program.
        port: The port that it was sent from, for a socket.
        message: Of a log record, its message alone.
    """

    check: str
    text: str
    call: CallSite
    name: str = ""
    port: int = 0
    message: str = ""


class _Noticed(set[str]):
    """Names of files; notes who was the first to write each."""

    def __init__(self, who: Callable[[], CallSite]) -> None:
        super().__init__()
        self._who = who
        self.calls: dict[str, CallSite] = {}

    def add(self, name: str, /) -> None:
        """Add a name."""
        super().add(name)
        self.calls.setdefault(name, self._who())

    def __ior__(self, names: Any) -> Self:  # type: ignore[override,misc] # noqa: ANN401 - as set
        for name in names:
            self.add(name)
        return self


@dataclass
class LeakTraces:
    """What left the application in one test."""

    test: CodeType | None = None
    texts: list[Trace] = field(default_factory=list)
    opened: _Noticed = field(init=False)
    dropped: int = 0

    def __post_init__(self) -> None:
        self.opened = _Noticed(lambda: call_of(sys._getframe(3), self.test))  # noqa: SLF001 - fast

    def note(self, check: str, text: str, *, name: str = "", call: CallSite | None = None) -> None:
        """Keep a text; without a call it is the caller's on the stack."""
        call = call or call_of(sys._getframe(1), self.test)  # noqa: SLF001 - fast
        self.keep(Trace(check, text, call, name))

    def keep(self, trace: Trace) -> None:
        """Keep a text, as long as there are not too many."""
        if len(self.texts) < _MOST:
            self.texts.append(trace)
        else:
            self.dropped += 1


class Taps:
    """The taps of one process; ``traces`` are those of the test that runs."""

    def __init__(self) -> None:
        self.traces: LeakTraces = LeakTraces()
        self._sent_from: dict[int, CallSite] = {}
        self._installed = contextlib.ExitStack()
        self._files = WrittenFiles()

    def begin(self, test: CodeType | None) -> LeakTraces:
        """Keep what follows as another test's."""
        self.traces = LeakTraces(test)
        self._files.opened = self.traces.opened
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
            (subprocess.Popen, "__init__", self._starting),
            *((socket.socket, name, self._sending) for name in _SENDERS),
            *((ssl.SSLSocket, name, self._sending) for name in _SENDERS[:2]),
            (ssl.SSLObject, "write", self._encrypting),
            (warnings, "warn", self._warning),
        ]
        self._installed.enter_context(Patch(*replacements))
        self._installed.enter_context(written_files(self._files))

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
        except (TypeError, ValueError):  # the application's own mistake, which logging reports
            parts = [str(record.msg)]
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if extra:
            parts.append(_shown(extra))
        if record.exc_info and record.exc_info[1] is not None:
            parts += exception_texts(record.exc_info[1])
        traces = self.traces
        call = call_of(sys._getframe(1), traces.test)  # noqa: SLF001 - fast
        traces.keep(Trace("LK-01", "\n".join(parts), call, record.name, 0, parts[0]))

    def _starting(self, original: Callable[..., None]) -> Callable[..., None]:
        def start(process: Any, args: Any, *rest: Any, **options: Any) -> None:  # noqa: ANN401 - as Popen
            self.traces.note("LK-07", _shown(args), name="a child process")
            original(process, args, *rest, **options)

        return start

    def _warning(self, original: Callable[..., None]) -> Callable[..., None]:
        def warn(message: Any, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as warnings.warn
            self.traces.note("LK-03", str(message))
            named = dict(zip(("category", "stacklevel", "source"), args, strict=False)) | options
            named["stacklevel"] = named.get("stacklevel", 1) + 1  # this function is on the stack
            original(message, **named)

        return warn

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


def exception_texts(error: BaseException) -> list[str]:
    """What an exception and its causes show: text, arguments, notes."""
    texts, waiting, known = [], [error], set()
    while waiting:
        one = waiting.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        texts += [_shown(one), _shown(one.args), *map(str, getattr(one, "__notes__", ()))]
        with contextlib.suppress(Exception):  # a __str__ of the application may fail
            texts.append(str(one))
        waiting += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    return texts


def _shown(value: object) -> str:
    """The repr of an object of the application, which may fail."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - any error of the application's own repr
        return ""
