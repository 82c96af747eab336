"""With pytest-freezer: the sandbox follows its freeze, and ``turris_time`` moves it."""

import datetime as dt
from typing import Any

import pytest
from directory import Directory


@pytest.mark.freeze_time("2031-05-04 12:00")
def test_frozen(freezer: Any, turris: Any, turris_server: Any) -> None:
    """The sandbox follows the freezer."""
    directory = Directory()
    with directory.http:
        directory.agents()
        freezer.tick(dt.timedelta(minutes=56))
        directory.agents()
    assert turris.token_requests == 2
    assert turris.clock.now() == dt.datetime(2031, 5, 4, 12, 56, tzinfo=dt.UTC)


def test_moved(freezer: Any, turris: Any, turris_time: Any) -> None:
    """``turris_time`` moves the freeze that is active."""
    turris_time.move_to(dt.datetime(2031, 5, 4, tzinfo=dt.UTC))
    assert dt.datetime.now(dt.UTC) == turris.clock.now()
    assert turris.clock.now().year == 2031
