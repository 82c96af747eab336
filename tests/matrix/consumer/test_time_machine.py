"""With time-machine: the sandbox follows its travel, and ``turris_time`` can use it."""

import datetime as dt
from typing import Any

import pytest
from directory import Directory

MOMENT = dt.datetime(2031, 5, 4, 12, tzinfo=dt.UTC)


def test_travelled(time_machine: Any, turris: Any, turris_server: Any) -> None:
    """The sandbox follows the travel."""
    time_machine.move_to(MOMENT, tick=False)
    directory = Directory()
    with directory.http:
        directory.agents()
        time_machine.shift(dt.timedelta(minutes=56))
        directory.agents()
    assert turris.token_requests == 2
    assert turris.clock.now() == MOMENT + dt.timedelta(minutes=56)


@pytest.mark.turris(time_engine="time-machine")
def test_engine(turris: Any, turris_time: Any) -> None:
    """``turris_time`` uses time-machine."""
    turris_time.move_to(MOMENT)
    assert dt.datetime.now(dt.UTC) == turris.clock.now() == MOMENT
