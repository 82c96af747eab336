"""A freeze or travel that the user runs: it is the one that moves."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec

import freezegun
import pytest
import time_machine
from doubles.consumer_project import Project

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel.travel import TimeTravel

MS = dt.timedelta(milliseconds=1)
MINUTE = dt.timedelta(minutes=1)
MOMENT = dt.datetime(2031, 5, 4, 12, tzinfo=dt.UTC)


def process_time() -> dt.datetime:
    """What the code under test believes."""
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def frozen_by_user() -> Iterator[object]:
    """A freeze that was running before ``turris_time``."""
    with freezegun.freeze_time(MOMENT) as frozen:
        yield frozen


@pytest.fixture
def travelled_by_user() -> Iterator[object]:
    """A travel of time-machine that was running before ``turris_time``."""
    with time_machine.travel(MOMENT, tick=False) as travel:
        yield travel


def assert_moves(turris: Sandbox, travel: TimeTravel, begun: dt.datetime) -> None:
    """Sandbox and process stand where the user put them, and move with the travel."""
    assert turris.clock.now() == process_time() == begun
    turris.tokens.issue(turris.client)
    travel.to_refresh_point(plus=MS)
    assert turris.clock.now() == process_time() == begun + 55 * MINUTE + MS


def test_running_freeze_is_moved(
    frozen_by_user: object, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """A freeze that runs before the fixture is the one that moves."""
    assert_moves(turris, turris_time, MOMENT)


def test_running_travel_is_moved(
    travelled_by_user: object, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """So is a travel of time-machine."""
    assert_moves(turris, turris_time, MOMENT)


def test_later_freeze_is_moved(
    turris: Sandbox, turris_time: TimeTravel, frozen_by_user: object
) -> None:
    """A freeze that begins after the fixture is the one that moves, while it lasts."""
    assert_moves(turris, turris_time, MOMENT)


@freezegun.freeze_time(MOMENT)
def test_decorator_is_moved(turris: Sandbox, turris_time: TimeTravel) -> None:
    """The decorator ``freeze_time`` begins after the fixtures, and is moved."""
    assert_moves(turris, turris_time, MOMENT)


def test_context_is_moved(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Inside a context the user's freeze moves; after it, the fixture's own again."""
    begun = turris_time.now
    with freezegun.freeze_time(MOMENT):
        assert_moves(turris, turris_time, MOMENT)
    assert_moves(turris, turris_time, begun)


def test_users_own_moves_are_followed(
    frozen_by_user: freezegun.api.FrozenDateTimeFactory, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """What the user ticks or moves, the sandbox follows."""
    frozen_by_user.tick(MINUTE)
    assert turris.clock.now() == turris_time.now == MOMENT + MINUTE


@pytest.mark.parametrize(
    "freeze",
    [
        lambda: freezegun.freeze_time(MOMENT, tick=True),
        lambda: freezegun.freeze_time(MOMENT, auto_tick_seconds=1),
        lambda: freezegun.freeze_time(MOMENT, tz_offset=-4),
    ],
    ids=["tick", "auto_tick_seconds", "tz_offset"],
)
def test_every_kind_of_freeze_is_moved(
    request: pytest.FixtureRequest, freeze: Callable[[], AbstractContextManager[object]]
) -> None:
    """A ticking freeze and one with an offset from UTC land where they are told to."""
    with freeze():
        travel: TimeTravel = request.getfixturevalue("turris_time")
        try:
            landed = travel.move_to(MOMENT + 60 * MINUTE)
            assert abs(landed - (MOMENT + 60 * MINUTE)) < dt.timedelta(seconds=30)
        finally:
            travel.stop()


def test_ended_freeze_is_an_error(turris: Sandbox, request: pytest.FixtureRequest) -> None:
    """If the user ends the freeze that was moved, the next move says so."""
    with freezegun.freeze_time(MOMENT):
        travel: TimeTravel = request.getfixturevalue("turris_time")
    with pytest.raises(RuntimeError, match="ended by other code"):
        travel.advance(minutes=1)


@pytest.mark.skipif(find_spec("pytest_freezer") is None, reason="pytest-freezer is not installed")
def test_fixture_of_pytest_freezer_is_moved(project: Project) -> None:
    """The fixture ``freezer`` is moved, asked for before or after ours."""
    project.files(
        "import datetime as dt, pytest",
        "@pytest.mark.freeze_time('2031-05-04')",
        "def test_before(freezer, turris, turris_time): check(freezer, turris, turris_time)",
        "@pytest.mark.parametrize('n', [1])",
        "def test_after(turris, turris_time, freezer, n): check(freezer, turris, turris_time)",
        "def check(freezer, turris, turris_time):",
        "    freezer.move_to('2031-05-05')",
        "    turris_time.advance(hours=1)",
        "    assert dt.datetime.now(dt.UTC).isoformat() == '2031-05-05T01:00:00+00:00'",
        "    assert turris.clock.now() == dt.datetime.now(dt.UTC)",
    )
    project.run_apart().assert_outcomes(passed=2)


def test_fixture_of_time_machine_is_moved(project: Project) -> None:
    """The fixture ``time_machine`` is moved once it travels."""
    project.files(
        "import datetime as dt, pytest",
        "@pytest.fixture",
        "def moved(time_machine):",
        "    time_machine.move_to(dt.datetime(2031, 5, 4, tzinfo=dt.UTC), tick=False)",
        "    return time_machine",
        "def test_x(moved, turris, turris_time):",
        "    turris_time.advance(hours=1)",
        "    assert dt.datetime.now(dt.UTC).isoformat() == '2031-05-04T01:00:00+00:00'",
        "    assert turris.clock.now() == dt.datetime.now(dt.UTC)",
        "def test_after(): assert dt.datetime.now().year < 2031",
    )
    project.run_apart().assert_outcomes(passed=2)
