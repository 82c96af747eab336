"""The clock: it follows the process, and can be moved alone."""

import datetime as dt

import pytest
from doubles.sandbox_client import NOW
from freezegun import freeze_time

from pytest_turris.core.clock import Clock


@pytest.fixture
def clock() -> Clock:
    """A clock in a process with stopped time."""
    return Clock()


def test_begins_at_the_process_time(clock: Clock) -> None:
    """A fresh clock says what the test process believes."""
    assert clock.now() == NOW


def test_follows_a_users_own_freezegun(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox follows a freeze of the process."""
    monkeypatch.undo()
    with freeze_time("2031-02-03 04:05:06", real_asyncio=True) as frozen:
        assert Clock().now() == dt.datetime(2031, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
        frozen.tick(dt.timedelta(minutes=1))
        assert Clock().now() == dt.datetime(2031, 2, 3, 4, 6, 6, tzinfo=dt.UTC)


def test_advances_by_parts(clock: Clock) -> None:
    """Time passes by days, hours, minutes and so on, to the microsecond."""
    assert clock.advance(minutes=55, microseconds=1) == NOW + dt.timedelta(
        minutes=55, microseconds=1
    )
    assert clock.now() == NOW + dt.timedelta(minutes=55, microseconds=1)


def test_advances_by_a_timedelta(clock: Clock) -> None:
    """Steps add up."""
    clock.advance(dt.timedelta(seconds=1))
    clock.advance(dt.timedelta(seconds=2))
    assert clock.now() == NOW + dt.timedelta(seconds=3)


def test_advances_forward_only(clock: Clock) -> None:
    """A negative step is refused, and nothing moves."""
    with pytest.raises(ValueError, match=r"advance by .* would go back; use move_to for that"):
        clock.advance(seconds=-1)
    assert clock.now() == NOW


def test_moves_back_to_a_moment(clock: Clock) -> None:
    """``move_to`` goes to any moment, earlier ones too, in any time zone."""
    zone = dt.timezone(dt.timedelta(hours=2))
    clock.move_to(dt.datetime(2020, 1, 1, 2, 0, tzinfo=zone))
    assert clock.now() == dt.datetime(2020, 1, 1, 0, 0, tzinfo=dt.UTC)


def test_moves_to_no_naive_moment(clock: Clock) -> None:
    """A moment without a time zone is refused; the message says what to write."""
    with pytest.raises(ValueError, match=r"has no time zone; write dt\.datetime"):
        clock.move_to(dt.datetime(2020, 1, 1))  # noqa: DTZ001 - what is refused


def test_advance_lets_a_mover_move_the_process(clock: Clock) -> None:
    """With a mover the process moves, not the offset between it and the sandbox."""
    moved: list[dt.timedelta] = []
    clock.move_with(moved.append)
    clock.advance(seconds=5)
    assert moved == [dt.timedelta(seconds=5)]
    assert clock.offset == dt.timedelta(0)


def test_moves_alone_again_without_its_mover(clock: Clock) -> None:
    """A mover that was removed is no longer called."""
    moved: list[dt.timedelta] = []
    clock.move_with(moved.append)
    clock.move_with(None)
    clock.advance(seconds=5)
    assert moved == []
    assert clock.offset == dt.timedelta(seconds=5)


def test_no_mismatch(clock: Clock) -> None:
    """A clock that agrees with the process, and with the machine, has nothing to report."""
    assert clock.mismatch(over_a_socket=True) == ""
    clock.move_with(None, lambda: NOW)
    assert clock.mismatch(over_a_socket=True) == ""


def test_a_mismatch_with_the_process(clock: Clock) -> None:
    """A clock that was moved alone is ahead of any client."""
    clock.advance(hours=1)
    found = clock.mismatch(over_a_socket=False)
    assert "the sandbox's clock says 2025-03-17 11:15:45Z, the client's process" in found
    assert "turris_time" in found


def test_a_mismatch_with_a_client_of_a_server(clock: Clock) -> None:
    """Its fix is one that works in any language."""
    clock.is_of_a_server = True
    clock.advance(hours=1)
    found = clock.mismatch(over_a_socket=True)
    assert "was moved to 2025-03-17 11:15:45Z, this machine's says 2025-03-17 10:15:45Z" in found
    assert "turris-sandbox clock back-to-now" in found
    assert "turris_time" not in found


def test_a_mismatch_with_another_process(clock: Clock) -> None:
    """Only a request over a socket may come from a process with the machine's own time."""
    clock.move_with(None, lambda: NOW + dt.timedelta(hours=1))
    assert clock.mismatch(over_a_socket=False) == ""
    found = clock.mismatch(over_a_socket=True)
    assert found.startswith("CLOCK MISMATCH, if the client is another process")
    assert "2025-03-17 11:15:45Z" in found


def test_shows_its_distance_from_the_process(clock: Clock) -> None:
    """Its repr names the time, and how far it is from the process if it is."""
    assert repr(clock) == "<Clock 2025-03-17 10:15:45Z>"
    clock.advance(hours=1)
    assert repr(clock) == "<Clock 2025-03-17 11:15:45Z, 1:00:00 from the process>"
