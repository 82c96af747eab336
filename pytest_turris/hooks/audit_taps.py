"""The taps of an audited run that know pytest, and the canaries that test them."""

import contextlib
import io
import logging
import os
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, TracebackType

import pytest
from _pytest.capture import CaptureIO, CaptureManager, EncodedFile
from _pytest.raises import RaisesExc

from pytest_turris.audit.leaks.tap import Taps, exception_texts
from pytest_turris.audit.places import CallSite, is_of_application
from pytest_turris.core.randomness import Randomness
from pytest_turris.process.patch import Patch

_APPLICATION = "turris_audit_canary.py"
_UNSEEN = "its canary was not seen there"


class PytestTaps:
    """The taps in pytest: printed output and expected exceptions."""

    def __init__(self, taps: Taps) -> None:
        self._taps = taps
        self._patch = Patch(
            (EncodedFile, "write", self._printing),
            (CaptureIO, "write", self._printing),
            (RaisesExc, "__exit__", self._expecting),
        )

    def install(self) -> None:
        """Put the taps in place."""
        self._taps.install()
        self._patch.__enter__()

    def remove(self) -> None:
        """Put everything back."""
        self._patch.__exit__()
        self._taps.remove()

    def note_exception(self, error: BaseException, trace: TracebackType | None) -> None:
        """Keep the text of an exception, with the place where the application raised it."""
        call = CallSite(None, 0, -1)
        while trace is not None:
            code = trace.tb_frame.f_code
            if is_of_application(code.co_filename):
                call = CallSite(code, trace.tb_lineno, -1)
            trace = trace.tb_next
        text = "\n".join(exception_texts(error))
        self._taps.traces.note("LK-04", text, name=type(error).__name__, call=call)

    def note_reprs(self, values: dict[str, object]) -> None:
        """Keep the repr of each object whose class is of the application."""
        for value in values.values():
            module = sys.modules.get(type(value).__module__)
            file = getattr(module, "__file__", None) or "<none>"
            if is_of_application(file):
                with contextlib.suppress(Exception):  # the application's own repr may fail
                    code = getattr(type(value).__repr__, "__code__", None)
                    call = CallSite(code, code.co_firstlineno if code else 0, -1)
                    name = type(value).__qualname__
                    self._taps.traces.note("LK-05", repr(value), name=name, call=call)

    def _printing(self, original: Callable[..., int]) -> Callable[..., int]:
        def write(stream: io.TextIOWrapper, text: str) -> int:
            self._taps.traces.note("LK-02", text)
            return original(stream, text)

        return write

    def _expecting(self, original: Callable[..., bool]) -> Callable[..., bool]:
        def exit_(
            raises: object,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> bool:
            __tracebackhide__ = True
            if error is not None:
                self.note_exception(error, trace)
            return original(raises, kind, error, trace)

        return exit_


class Canaries:
    """Leaks a throw-away secret through each channel, and checks that the tap saw it."""

    def __init__(self, config: pytest.Config, taps: Taps, ours: PytestTaps) -> None:
        self._capture: CaptureManager | None = config.pluginmanager.getplugin("capturemanager")
        self._taps = taps
        self._ours = ours
        seed = f"{os.getpid()}/{config.rootpath}/{id(self)}"
        # A plain text: a ``Secret`` has a repr that does not leak.
        self._canary = str(Randomness(seed).secret("canary"))

    def blind(self) -> dict[str, str]:
        """For each channel, why it cannot see leaks; empty if it can."""
        found = {
            check: self._try(check, leak)
            for check, leak in (
                ("LK-01", _logs), ("LK-03", _warns), ("LK-04", _raises), ("LK-06", _writes),
                ("LK-07", _starts), ("LK-08", _sends),
            )
        }  # fmt: skip
        found["LK-05"] = self._try_repr()
        found["LK-02"], found["LK-09"] = self._try_output()
        self._taps.begin(None)
        return dict(sorted(found.items()))

    def _try(self, check: str, leak: Callable[[str], object]) -> str:
        traces = self._taps.begin(None)
        try:
            _as_application(leak)(self._canary)
        except Exception as error:  # noqa: BLE001 - such as pytest-socket's, which is the reason
            return f"{type(error).__name__}: {str(error).partition('.')[0][:120]}"
        seen = any(self._canary in one.text for one in traces.texts if one.check == check)
        if check == "LK-06":
            seen = any(self._canary in name for name in traces.opened)
        return "" if seen else _UNSEEN

    def _try_repr(self) -> str:
        traces = self._taps.begin(None)
        shown = type("Shown", (), {"__repr__": lambda _: self._canary, "__module__": __name__})()
        self._ours.note_reprs({"of a library": shown})
        passed_over = not traces.texts
        self._taps.traces.note("LK-05", repr(shown))
        seen = any(self._canary in one.text for one in traces.texts)
        return "" if seen and passed_over else _UNSEEN

    def _try_output(self) -> tuple[str, str]:
        capture = self._capture
        if capture is None or not capture.is_globally_capturing():
            why = "pytest does not capture output here (-s, or --capture=no)"
            return why, why
        traces = self._taps.begin(None)
        capture.resume_global_capture()
        try:
            print(self._canary)  # noqa: T201 - the leak
            seen = any(self._canary in one.text for one in traces.texts if one.check == "LK-02")
            capture.read_global_capture()
            sys.stdout.flush()
            _write_to_descriptor(self._canary)
            out, _ = capture.read_global_capture()
        finally:
            capture.suspend_global_capture()
        descriptors = "" if self._canary in out else "pytest captures Python's streams only"
        return ("" if seen else _UNSEEN), descriptors


def _write_to_descriptor(canary: str) -> None:
    with contextlib.suppress(OSError):
        # With --capture=sys this would reach the terminal, so the end of the canary is cut off.
        os.write(1, b"" if not _descriptor_is_captured() else canary.encode())


def _descriptor_is_captured() -> bool:
    """Whether pytest's file is behind the descriptor of the standard output."""
    return isinstance(sys.stdout, EncodedFile)


def _as_application(leak: Callable[[str], object]) -> Callable[[str], object]:
    """The same function, as if it were in a file of the application: the taps skip our files."""
    assert isinstance(leak, FunctionType)  # noqa: S101 - all of them are
    return FunctionType(leak.__code__.replace(co_filename=_APPLICATION), leak.__globals__)


def _logs(canary: str) -> None:
    logger = logging.getLogger("turris_audit.canary")
    logger.propagate = False
    logger.addHandler(handler := logging.NullHandler())
    try:
        logger.info("quiet", extra={"canary": canary})
    finally:
        logger.removeHandler(handler)


def _warns(canary: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn(canary, stacklevel=1)


def _raises(canary: str) -> None:
    error = ValueError("quiet")
    error.add_note(canary)
    with pytest.raises(ValueError, match="quiet"):
        raise error


def _writes(canary: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, canary).write_text(canary, "utf-8")


def _starts(canary: str) -> None:
    with contextlib.suppress(OSError):  # there is no such program
        subprocess.Popen([f"./{canary}"], stdin=subprocess.DEVNULL)  # noqa: S603 - as above


def _sends(canary: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        client.sendall(canary.encode())
