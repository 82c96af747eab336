"""The clock: it follows the process, and can be moved alone."""

import datetime as dt
import json

import pytest
from doubles.sandbox_client import NOW, Client
from freezegun import freeze_time

from pytest_turris.core.clock import EARLIEST, LATEST, Clock, ClockError
from pytest_turris.core.sandbox import Sandbox


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


@pytest.mark.parametrize(
    "moment",
    [
        dt.datetime(1, 1, 1, tzinfo=dt.UTC),
        EARLIEST - dt.timedelta(microseconds=1),
        dt.datetime.max.replace(tzinfo=dt.timezone(-dt.timedelta(hours=14))),
    ],
    ids=["year 1", "before 1970", "year 10000 in UTC"],
)
def test_moves_to_no_moment_outside_1970_to_9999(clock: Clock, moment: dt.datetime) -> None:
    """Neither by a moment nor by the offset that leads there."""
    with pytest.raises(ClockError, match=r"1970|9999"):
        clock.move_to(moment)
    with pytest.raises(ClockError, match="between 1970 and 9999"):
        clock.offset = clock.offset_at(moment)
    assert clock.now() == NOW


@pytest.mark.parametrize("parts", [{"days": 1e300}, {"days": float("nan")}, {"weeks": 500_000}])
def test_advances_by_no_step_beyond_9999(clock: Clock, parts: dict[str, float]) -> None:
    """Nor by what is not a duration at all."""
    with pytest.raises(ClockError, match="advance by"):
        clock.advance(**parts)
    assert clock.now() == NOW


@pytest.mark.parametrize("end", [EARLIEST, LATEST])
def test_stays_at_the_end_of_its_bounds(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, end: dt.datetime
) -> None:
    """Whatever the process's own time does after the clock was moved there."""
    assert clock.move_to(end) == end
    process = LATEST if end == LATEST else dt.datetime.min.replace(tzinfo=dt.UTC)
    monkeypatch.setattr(Clock, "process_time", staticmethod(lambda: process))
    assert clock.now() == end


def sent_json(caller: Client, path: str, body: dict[str, str]) -> int:
    """POST a JSON object; give the status."""
    headers = [("content-type", "application/json")]
    body_bytes = json.dumps(body).encode()
    return caller.send("POST", f"/v1/{path}", headers=headers, body=body_bytes).status


@pytest.mark.parametrize("moment", [EARLIEST, LATEST])
def test_a_sandbox_answers_at_the_ends_of_its_clock(moment: dt.datetime) -> None:
    """No expiry, window, renewal or wait for a webhook is beyond the calendar."""
    caller = Client(Sandbox())
    caller.sandbox.clock.move_to(moment)
    caller.sandbox.seed("messy")
    endpoint = {"url": "http://127.0.0.1:3000/", "webhookType": "AGENT_COMPLIANCE_STATUS_CHANGE"}
    caller.bearer = str(caller.sandbox.tokens.issue(caller.sandbox.client).text)
    caller.sandbox.clock.move_to(moment - min(dt.timedelta(days=1), moment - EARLIEST))
    for path, body in (("agents", {"npn": "20000001"}), ("webhooks", endpoint)):
        assert sent_json(caller, path, body) == 201
    caller.sandbox.clock.move_to(moment)
    caller.sandbox.licenses.add(npn="20000001")
    assert caller.send("GET", "/v1/agents").status in (200, 401)
    caller.sandbox.restore(caller.sandbox.snapshot())


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
