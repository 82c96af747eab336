"""The clocks of ``time`` under time travel, under every name that code has for them."""

import datetime as dt
import functools
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from time import monotonic as captured_monotonic

import freezegun
import pytest

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel.travel import TimeTravel

HOUR = dt.timedelta(hours=1)
pytestmark = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=pytest.mark.turris(time_engine=name))
        for name in ("freezegun", "time-machine")
    ],
)


class HoldsClocks:
    """Clocks as code holds them."""

    attribute = staticmethod(time.monotonic)

    def default(self, now: Callable[[], float] = time.time) -> float:
        """A default argument."""
        return now()

    def default_ns(self, now: Callable[[], int] = time.time_ns) -> float:
        """A default argument."""
        return now() / 1e9


CLOCKS: dict[str, Callable[[], float]] = {
    "time": lambda: time.time(),  # noqa: PLW0108 - looked up at each call
    "monotonic": lambda: time.monotonic(),  # noqa: PLW0108 - as above
    "monotonic_ns": lambda: time.monotonic_ns() / 1e9,
    "alias": lambda: captured_monotonic(),  # noqa: PLW0108 - as above
    "attribute": HoldsClocks.attribute,
    "default": HoldsClocks().default,
    "default_ns": HoldsClocks().default_ns,
    "partial": functools.partial(time.monotonic),
    "clock_gettime": lambda: time.clock_gettime(time.CLOCK_MONOTONIC),
    "clock_gettime_ns": lambda: time.clock_gettime_ns(time.CLOCK_REALTIME) / 1e9,
    "datetime": lambda: dt.datetime.now(dt.UTC).timestamp(),
}


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_clock_moves(engine: str, clock: Callable[[], float], turris_time: TimeTravel) -> None:
    """Each clock stands still, moves with the travel, and the same in a thread."""
    before = clock()
    assert clock() == before
    turris_time.advance(hours=1, milliseconds=1)
    assert clock() - before == pytest.approx(3600.001, abs=1e-5)
    seen = list[float]()
    thread = threading.Thread(target=lambda: seen.append(clock()))
    thread.start()
    thread.join()
    assert seen == [clock()]


def _run() -> None:
    subprocess.run([sys.executable, "-c", "import time; time.sleep(2)"], check=True, timeout=0.05)


def _wait() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        process.wait(timeout=0.05)


def _serve() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        server.timeout = 0.05
        server.handle_timeout = _give_up  # type: ignore[method-assign] # as a subclass does
        server.handle_request()


def _give_up() -> None:
    raise TimeoutError


@pytest.mark.parametrize("poll", [_run, _wait, _serve])
def test_polling_of_the_standard_library_reads_a_real_clock(
    engine: str, poll: Callable[[], None], turris_time: TimeTravel
) -> None:
    """Its timeouts end, though the clock stands."""
    before = turris_time.now
    with pytest.raises((TimeoutError, subprocess.TimeoutExpired)):
        poll()
    assert turris_time.now == before


def test_monotonic_never_goes_back(engine: str, turris_time: TimeTravel) -> None:
    """The wall clock goes back, monotonic time stands meanwhile."""
    before, nanoseconds = time.monotonic(), time.monotonic_ns()
    turris_time.move_to(turris_time.now - 24 * HOUR)
    assert (time.monotonic(), time.monotonic_ns()) == (before, nanoseconds)
    turris_time.advance(hours=1)
    assert time.monotonic() - before == pytest.approx(3600)


def test_other_numbers_of_clock_gettime_stay_real(engine: str, turris_time: TimeTravel) -> None:
    """The time that the processor worked is no time that can be travelled."""
    before = time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)
    turris_time.advance(hours=1)
    assert time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) - before < 60


def test_system_without_clock_gettime(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has none; the other clocks move there."""
    for name in ("clock_gettime", "clock_gettime_ns"):
        monkeypatch.delattr(time, name)
    travel = TimeTravel(Sandbox(Options(time_engine=engine)))  # type: ignore[arg-type] # parametrised
    travel.start()
    try:
        before = time.time(), time.monotonic()
        travel.advance(hours=1)
        assert time.time() - before[0] == pytest.approx(3600)
        assert time.monotonic() - before[1] == pytest.approx(3600)
    finally:
        travel.stop()


def test_functions_of_threads_live_in_the_moved_time(engine: str, turris_time: TimeTravel) -> None:
    """Code that a thread runs directly reads the same time as code further down."""
    turris_time.advance(days=400)
    seen = list[float]()
    for function in (time.time, lambda: time.time(), lambda: (lambda: time.time())()):  # noqa: PLW0108, PLC3002 - of three depths
        thread = threading.Thread(target=lambda read=function: seen.append(read()))
        thread.start()
        thread.join()
    assert seen == [turris_time.now.timestamp()] * 3


def test_clocks_are_real_afterwards(engine: str) -> None:
    """After the test before this one, captured clocks go on by themselves."""
    assert abs(HoldsClocks().default() - dt.datetime.now(dt.UTC).timestamp()) < 5
    assert (
        freezegun.api.real_monotonic()
        <= captured_monotonic()
        == pytest.approx(time.clock_gettime(time.CLOCK_MONOTONIC), abs=5)
    )
