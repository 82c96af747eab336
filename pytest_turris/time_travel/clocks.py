"""The clocks of ``time`` under time travel, under every name that code has for them.

Both engines leave something out. freezegun replaces names in modules, so a clock that an object
holds keeps running; near a function of its ignore list, such as a thread's first ones, code reads
real time; and its monotonic clock goes back with the wall clock. time-machine moves only the wall
clock. Here a clock is moved in the function itself, and the monotonic one never goes back.
"""

import calendar
import gc
import operator
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import BuiltinFunctionType, FunctionType
from typing import Any

from pytest_turris.core.clock import Clock
from pytest_turris.process.c_function import CFunctionPatch
from pytest_turris.process.patch import Patch
from pytest_turris.time_travel.callers import Callers
from pytest_turris.time_travel.scheduler import Scheduler
from pytest_turris.time_travel.sleeps import SECOND

_NANO = 1_000
"""Nanoseconds of a microsecond."""

_OWN_CLOCKS = ("numpy", "pandas", "uvloop")
_STANDARD = sys.stdlib_module_names
_ELAPSING = {"CLOCK_MONOTONIC", "CLOCK_MONOTONIC_RAW", "CLOCK_BOOTTIME", "CLOCK_UPTIME_RAW"}

_READS: dict[str, Callable[[Scheduler], float]] = {
    "monotonic": lambda scheduler: _monotonic(scheduler) / SECOND,
    "monotonic_ns": lambda scheduler: int(_monotonic(scheduler) * _NANO),
}
"""The clocks of elapsed time, with how each is read."""


def moves_clocks(*, wall: bool) -> Iterator[AbstractContextManager[Any]]:
    """What is replaced while the clocks of ``time`` move.

    Args:
        wall: Whether the wall clock is replaced too, which time-machine does itself.
    """
    for name, read in _READS.items():
        yield CFunctionPatch(_real(name), _virtual(read))
    if hasattr(time, "clock_gettime"):
        yield CFunctionPatch(time.clock_gettime, _gettime(SECOND))
        yield CFunctionPatch(time.clock_gettime_ns, _gettime(1 / _NANO))
    if wall:
        freezegun = sys.modules["freezegun.api"]
        yield CFunctionPatch(_real("time"), _virtual(lambda _: _wall() / SECOND))
        yield CFunctionPatch(_real("time_ns"), _virtual(lambda _: _wall() * _NANO))
        yield Patch(
            # Only the module that asks counts, not those that called it.
            (freezegun, "call_stack_inspection_limit", lambda _: 1),
            # freezegun's own function stands between these and the code that asks.
            (freezegun, "_get_fake_monotonic", lambda _: _of_freezegun("monotonic")),
            (freezegun, "_get_fake_monotonic_ns", lambda _: _of_freezegun("monotonic_ns")),
        )


def _of_freezegun(name: str) -> Callable[[], float]:
    return _virtual(_READS[name], caller=2)(_real(name))


def _real(name: str) -> Callable[..., Any]:
    """A function of the system's, also under freezegun."""
    freezegun = sys.modules.get("freezegun.api")
    found: Callable[..., Any] = getattr(freezegun, f"real_{name}", None) or getattr(time, name)
    return found


def _virtual(
    read: Callable[[Scheduler], float], caller: int = 1
) -> Callable[[Callable[[], float]], Callable[[], float]]:
    """What replaces a clock; ``caller`` is how many frames above it the code is that asks."""

    def wrap(original: Callable[[], float]) -> Callable[[], float]:
        def clock() -> float:
            """Read the virtual clock; the real one for code whose waits are real."""
            scheduler = Scheduler.current
            if (
                scheduler is None
            ):  # pragma: no cover - in another thread, as the travel begins or ends
                return original()
            module, _ = scheduler.callers.find(sys._getframe(caller), "")  # noqa: SLF001 - as warnings does
            return original() if scheduler.callers.is_real(module) else read(scheduler)

        return clock

    return wrap


def _gettime(unit: float) -> Callable[[Callable[[int], float]], Callable[[int], float]]:
    ids = {getattr(time, name) for name in _ELAPSING if hasattr(time, name)}

    def wrap(original: Callable[[int], float]) -> Callable[[int], float]:
        def clock_gettime(which: int, /) -> float:
            """Read the virtual clock of that number, or a real one that does not move."""
            scheduler = Scheduler.current
            if scheduler is None or operator.index(which) not in (*ids, time.CLOCK_REALTIME):
                return original(which)
            module, _ = scheduler.callers.find(sys._getframe(1), "")  # noqa: SLF001 - as above
            if scheduler.callers.is_real(module):
                return original(which)
            moment = _monotonic(scheduler) if operator.index(which) in ids else _wall()
            return moment / unit if unit > 1 else round(moment / unit)

        return clock_gettime

    return wrap


def captured(*, frozen: bool) -> tuple[str, ...]:
    """Clocks that were not moved: what holds them, and libraries that have their own.

    Args:
        frozen: Whether freezegun is active, which replaces only names in modules.
    """
    loaded = [f"{name}, whose clock is its own" for name in _OWN_CLOCKS if name in sys.modules]
    return (*(sorted(set(_held())) if frozen else ()), *loaded)


def _held() -> Iterator[str]:
    """Functions and classes that hold the real ``datetime``, or a clock of it."""
    freezegun = sys.modules["freezegun.api"]
    real = freezegun.real_datetime, freezegun.real_date
    clocks = {real[0].now, real[0].utcnow, real[0].today, real[1].today}
    for holder in gc.get_objects():
        held: list[object] = []
        # By type: a lazy object would be evaluated by ``isinstance``, or for an attribute.
        if type(holder) is FunctionType:
            held = [*(holder.__defaults__ or ()), *(holder.__kwdefaults__ or {}).values()]
        elif type(holder) is type:
            held = [
                value.__func__ if isinstance(value, staticmethod | classmethod) else value
                for value in list(vars(holder).values())
            ]
        module = str(getattr(holder, "__module__", "")) if held else ""
        if held and not Callers().is_real(module) and module.partition(".")[0] not in _STANDARD:
            for value in held:
                is_clock = type(value) is BuiltinFunctionType and value in clocks
                if is_clock or any(value is kind for kind in real):
                    name = getattr(value, "__qualname__", "")
                    yield f"{name} held by {module}.{getattr(holder, '__qualname__', '')}"


def _monotonic(scheduler: Scheduler) -> float:
    """Microseconds since some moment; they never decrease."""
    return round(scheduler.steady * SECOND) + scheduler.sync()


def _wall() -> int:
    """Microseconds since 1970."""
    now = Clock.process_time()
    return calendar.timegm(now.utctimetuple()) * SECOND + now.microsecond
