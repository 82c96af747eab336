"""The taps of an audited run that know pytest."""

import contextlib
import io
import sys
from collections.abc import Callable
from types import TracebackType

import pytest
from _pytest.capture import CaptureIO, EncodedFile
from _pytest.raises import RaisesExc

from pytest_turris.audit.leaks.hooks import site_of
from pytest_turris.audit.leaks.tap import Taps
from pytest_turris.audit.leaks.traces import exception_texts
from pytest_turris.audit.places import CallSite, is_of_application
from pytest_turris.process.patch import Patch


class PytestTaps:
    """The taps in pytest: printed output and expected exceptions."""

    def __init__(self, taps: Taps) -> None:
        self._taps = taps
        # pytest makes these of exceptions that the hooks have seen.
        taps.passed_over = (
            pytest.PytestUnhandledThreadExceptionWarning,
            pytest.PytestUnraisableExceptionWarning,
        )
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
        text = "\n".join(exception_texts(error))
        self._taps.traces.note("LK-04", text, name=type(error).__name__, call=site_of(trace))

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
