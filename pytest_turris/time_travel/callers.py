"""Decides which code calls: the code under test, or code whose waits stay real."""

import asyncio
import threading
from collections.abc import Collection
from types import FrameType

from pytest_turris.time_travel.watching.frames import uncollected
from pytest_turris.time_travel.watching.processes import awaits_processes

_MACHINERY = frozenset({
    # The test runner and its plugins.
    "_pytest", "coverage", "debugpy", "execnet", "freezegun", "hypothesis", "pluggy", "pydevd",
    "pytest", "pytest_asyncio", "pytest_timeout", "pytest_turris", "time_machine", "xdist",
    # The standard library's own polling.
    "_pyrepl", "http", "logging", "multiprocessing", "selectors", "socket", "socketserver", "ssl",
    "subprocess", "urllib", "wsgiref",
    # Servers that poll now and then.
    "gunicorn", "hypercorn", "uvicorn", "waitress", "werkzeug",
})  # fmt: skip
_READING = frozenset({"http", "multiprocessing", "selectors", "socket", "ssl", "subprocess",
                      "urllib"})  # fmt: skip
"""What code of any kind calls to wait for something real."""

_NEUTRAL = frozenset({
    "_thread", "anyio", "asyncio", "concurrent", "contextlib", "functools", "queue", "sched",
    "threading", "trio",
})  # fmt: skip
"""What stands between a caller and its wait."""

_HERE = "pytest_turris.time_travel."
_TIMER = threading.Timer.run.__code__
_RUN_FOREVER = asyncio.BaseEventLoop.run_forever.__code__


class Callers:
    """Distinguishes the code under test from the rest.

    Args:
        left_out: Modules or packages whose waits stay real too.
    """

    def __init__(self, left_out: Collection[str] = ()) -> None:
        self._left_out = tuple(left_out)

    def find(self, frame: FrameType | None, by: str) -> tuple[str, str]:
        """The module that waits, and what it called; none for what an event loop or a pool calls.

        Args:
            frame: The caller of what waits. One of another thread needs ``uncollected`` around.
            by: What waits.
        """
        while frame is not None:
            name = str(frame.f_globals.get("__name__", ""))
            if frame.f_code is _TIMER:
                function = frame.f_locals["self"].function
                return str(getattr(function, "__module__", "")), "threading.Timer"
            if not _is_neutral(name):
                return name, by
            if frame.f_code is _RUN_FOREVER:
                return "", by  # what runs a loop does not call what its tasks call
            by = _called(name.partition(".")[0], frame) or by
            frame = frame.f_back
        return "", by

    def is_real(self, module: str) -> bool:
        """Whether a module's waits stay real."""
        return module.partition(".")[0] in _MACHINERY or self.is_left_out(module)

    @uncollected
    def is_in_kit(self, frame: FrameType | None) -> bool:
        """Whether the plugin itself waits, such as a door that lets other threads run."""
        return self.find(frame, "")[0].startswith("pytest_turris.")

    def is_left_out(self, module: str) -> bool:
        """Whether the test left a module out."""
        return any(module == name or module.startswith(f"{name}.") for name in self._left_out)

    @uncollected
    def kind(self, frame: FrameType | None) -> str:
        """What a whole stack belongs to: ``client``, ``machinery``, or ``idle``: nothing yet."""
        found = "idle"
        while frame is not None:
            name = str(frame.f_globals.get("__name__", ""))
            if _reports_when_idle(frame):
                return "client"
            if (awaits := awaits_processes(frame)) is not None:
                return "client" if awaits else "machinery"
            if not _is_neutral(name):
                if not self.is_real(name):
                    return "client"
                # The outermost decides: a pool's thread may read for the code under test.
                found = "client" if name.partition(".")[0] in _READING else "machinery"
            frame = frame.f_back
        return found


def _reports_when_idle(frame: FrameType) -> bool:
    """Whether it runs an event loop by the virtual clock: what its tasks do counts.

    Between two of them nothing else on the stack tells whose they are.
    """
    if frame.f_code is _RUN_FOREVER:
        time = type(frame.f_locals["self"]).time
        return str(getattr(time, "__module__", "")).startswith(_HERE)
    if frame.f_code.co_name == "unrolled_run":  # of trio
        runner = frame.f_locals.get("runner")
        return type(getattr(runner, "clock", None)).__name__ == "SystemClock"
    return False


def _is_neutral(module: str) -> bool:
    return module.partition(".")[0] in _NEUTRAL or module.startswith(_HERE)


def _called(package: str, frame: FrameType) -> str:
    """The public function of a frame, if it is one that waits."""
    code = frame.f_code
    if package in ("threading", "queue", "concurrent"):
        return "" if code.co_name.startswith("_") else code.co_qualname
    return f"{package}.sleep" if code.co_name == "sleep" else ""
