"""Finds the clocks that a client reads and that time travel does not move.

A clock that was stored before the test, such as the timer of ``cachetools.TTLCache``, goes on with
the machine's time. What such a client does shows nothing about its rules.
"""

import contextlib
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, FunctionType
from typing import Any

_Clock = Callable[..., Any]

_TIME = frozenset({
    "clock_gettime", "clock_gettime_ns", "monotonic", "monotonic_ns", "perf_counter",
    "perf_counter_ns", "time", "time_ns",
})  # fmt: skip
_DATETIME = frozenset({"now", "utcnow", "today"})
# Libraries read clocks of their own, for timeouts and logs; those say nothing about tokens.
_LIBRARIES = frozenset({
    "_pytest", "aiohttp", "anyio", "certifi", "coverage", "execnet", "freezegun", "h11", "h2",
    "httpcore", "httpcore2", "httpx", "httpx2", "hypothesis", "multidict", "pluggy", "pytest",
    "pytest_turris", "requests", "respx", "responses", "sniffio", "time_machine", "trio", "urllib3",
    "uvicorn", "xdist", "yarl",
})  # fmt: skip


@contextlib.contextmanager
def clocks_read() -> Iterator[dict[str, _Clock]]:
    """Collect the built-in clocks that code reads meanwhile, each by "module: clock"."""
    found: dict[str, _Clock] = {}

    def note(frame: FrameType, event: str, called: Any) -> None:  # noqa: ANN401 - as sys.setprofile
        if event != "c_call" or not _is_clock(called) or _is_collecting(frame):
            return
        if module := _reader(frame):
            found.setdefault(f"{module}: {_name(called)}", called)

    before = sys.getprofile()
    sys.setprofile(note)
    threading.setprofile(note)
    try:
        yield found
    finally:
        threading.setprofile(before)
        sys.setprofile(before)


def clock_value(clock: _Clock) -> float:
    """The value of a clock for code under test, in its own unit as seconds."""
    name = getattr(clock, "__name__", "")
    arguments = (_monotonic_id(),) if name.startswith("clock_gettime") else ()
    value: Any = _read_by_client(clock, *arguments)
    if name in _DATETIME:
        return float(value.timestamp())
    return float(value) / (1e9 if name.endswith("_ns") else 1)


def _read(clock: _Clock, *arguments: int) -> Any:  # noqa: ANN401 - a number or a date
    return clock(*arguments)


_read_by_client = FunctionType(_read.__code__, {"__name__": "client_under_test"})
"""Under another name: time travel gives the kit's own code real time."""


def _monotonic_id() -> int:
    import time  # noqa: PLC0415 - freezegun would replace what a module-level name holds

    return time.CLOCK_MONOTONIC


def _is_clock(called: Any) -> bool:  # noqa: ANN401 - any C function
    name = getattr(called, "__name__", "")
    if name in _TIME:
        return getattr(called, "__module__", "") == "time"
    owner = getattr(called, "__self__", None)
    return name in _DATETIME and getattr(owner, "__module__", "") == "datetime"


def _name(called: Any) -> str:  # noqa: ANN401 - as above
    owner = getattr(called, "__self__", None)
    prefix = owner.__name__ if isinstance(owner, type) else "time"
    return f"{prefix}.{called.__name__}"


def _is_collecting(frame: FrameType | None) -> bool:
    """Whether a callback of the garbage collector runs: it interrupts any code, a client's too."""
    codes = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None and frame.f_code not in codes:
        frame = frame.f_back
    return frame is not None


def _reader(frame: FrameType | None) -> str:
    """The module that reads the clock; empty if it is a library's or Python's own."""
    if frame is not None and frame.f_code.co_name == "time" and _root(frame) == "asyncio":
        frame = frame.f_back  # loop.time()
    if frame is None or _root(frame) in _LIBRARIES or _root(frame) in sys.stdlib_module_names:
        return ""
    return str(frame.f_globals.get("__name__", "?"))


def _root(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
