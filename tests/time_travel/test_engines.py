"""The engines of time travel, asked directly."""

import datetime as dt
import sys
import time

import pytest

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.process.system_clock import system_time
from pytest_turris.time_travel.engines import EngineError, begin_travel
from pytest_turris.time_travel.travel import TimeTravel

MOMENT = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)


def test_system_time_under_time_machine() -> None:
    """The machine's time stays known while time-machine travels."""
    before = system_time()
    travel = begin_travel("time-machine", MOMENT, tick=False)
    try:
        assert abs(system_time() - before) < dt.timedelta(minutes=5)
        assert dt.datetime.now(dt.UTC) == MOMENT
    finally:
        travel.stop()


def test_time_machine_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install, and which option to leave out."""
    monkeypatch.setitem(sys.modules, "time_machine", None)
    with pytest.raises(EngineError, match="pip install time-machine"):
        begin_travel("time-machine", MOMENT, tick=False)


def test_sleep_that_was_taken_under_time_travel_is_real_afterwards() -> None:
    """A module that took ``sleep`` meanwhile holds the same function, which is real again."""
    travel = TimeTravel(Sandbox())
    travel.start()
    taken = time.sleep
    try:
        taken(60)
    finally:
        travel.stop()
    before = time.perf_counter()
    taken(0.01)
    assert time.perf_counter() - before >= 0.01
    assert travel.slept == dt.timedelta(seconds=60)
