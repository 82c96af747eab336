"""Canaries: before the first test, a throw-away secret is leaked in each way that is watched."""

import contextlib
import os
import sys
from collections.abc import Callable

import pytest
from _pytest.capture import CaptureManager, EncodedFile

from pytest_turris.audit.leaks.tap import Taps
from pytest_turris.audit.leaks.ways import WAYS, as_application
from pytest_turris.core.randomness import Randomness
from pytest_turris.hooks.audit_taps import PytestTaps

_UNSEEN = "its canary was not seen there"


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
        found: dict[str, str] = {}
        for check, way, leak in (*WAYS, ("LK-04", "pytest.raises", _raises)):
            found[check] = found.get(check) or self._try(check, way, leak)
        found["LK-05"] = self._try_repr()
        found["LK-02"], found["LK-09"] = self._try_output()
        self._taps.begin(None)
        return dict(sorted(found.items()))

    def _try(self, check: str, way: str, leak: Callable[[str], object]) -> str:
        traces = self._taps.begin(None)
        try:
            as_application(leak)(self._canary)
        except Exception as error:  # noqa: BLE001 - such as pytest-socket's, which is the reason
            return f"{type(error).__name__}: {str(error).partition('.')[0][:120]}"
        seen = any(self._canary in one.text for one in traces.texts if one.check == check)
        if check == "LK-06":
            seen = any(self._canary in name for name in traces.opened | traces.renamed)
        return "" if seen else f"{_UNSEEN}, by way of {way}"

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


def _raises(canary: str) -> None:
    error = ValueError("quiet")
    error.add_note(canary)
    with pytest.raises(ValueError, match="quiet"):
        raise error
