"""TC-08, TC-09 and TC-64: clocks that jump, clocks that differ, and local time."""

import datetime as dt
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.habits import Habits
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.preconditions import NO_RENEWAL, renew_well, require_cache
from pytest_turris.conformance.probes.expiry import life
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.clock import Clock
from pytest_turris.core.text.durations import span
from pytest_turris.core.text.plurals import counted
from pytest_turris.process.environment import EnvironmentVariables

CLOCKS = RuleFamily()
_rule = CLOCKS.rule

_JUMP = dt.timedelta(hours=1)
_SKEW = 0.55
"""Part of the time until a token is due."""
_NEAR = dt.timedelta(seconds=1)
_LONG = dt.timedelta(days=2)
_BEFORE = 0.1
"""The part of a token's time that it has at least when daylight saving time ends."""
_PHASE = 0.5
_ZONES = {"west of Greenwich": "PST8PDT,M3.2.0,M11.1.0", "east of Greenwich": "IST-5:30"}
"""As POSIX writes them, which needs no time zone database."""
_UTC = "UTC0"
_SUMMER = "in which daylight saving time ends"
_SUMMER_DAYS = 100


@_rule(
    "TC-08",
    "A wall clock that jumps causes no loop",
    does="Moves the client's wall clock an hour forward and back; the server's clock goes on. A "
    "client that recovers after a 401 is right.",
    why="After a clock correction every call requests a token, or an old token is used forever.",
    fix="Treat a token whose age is negative as expired, or measure its age by a monotonic clock.",
    usual_bug="the age is wall time, and its sign is not checked",
    source="golang/oauth2, Supabase's refresh storm",
)
def _wall_clock_jumps(harness: ClientHarness) -> ProbeSteps[None]:
    clock = harness.sandbox.clock
    yield from harness.get_first_token()
    yield from require_cache(harness)
    yield from renew_well(harness)
    for jump in (_JUMP, -_JUMP, -_JUMP, _JUMP):
        mark, now = len(harness.requests), harness.now
        clock.offset -= jump
        yield from harness.move_to(now)
        when = f"after the wall clock jumped by {_signed(jump)}"
        harness.require_success((yield from harness.calls(5)), when, ours_alone=True)
        _require_no_loop(harness, mark, 5, when)
        ttl, _ = life(harness)
        yield from harness.advance(ttl + dt.timedelta(minutes=1))
        later = "an hour after the jump"
        harness.require_success((yield from harness.calls(3)), later, ours_alone=True)
        _require_no_loop(harness, mark, 8, later)


@_rule(
    "TC-09",
    "A difference between the clocks changes nothing",
    does="Sets the server's clock half an hour ahead, then behind, and compares when the client "
    "replaces its token with when it does otherwise.",
    why="On a machine whose clock is off, tokens are replaced too early or used for too long.",
    fix="Compare times of the client's own clock only; do not read iat or exp.",
    usual_bug="iat or exp are compared with the local clock",
    source="golang/oauth2: 10 s delta",
)
def _server_clock_differs(harness: ClientHarness) -> ProbeSteps[None]:
    clock, skew = harness.sandbox.clock, life(harness)[1] * _SKEW
    yield from harness.get_first_token()
    yield from require_cache(harness)
    habits = Habits(harness)
    yield from habits.observe()
    before = clock.offset
    for off in (skew, -skew):
        when = f"while the server's clock was {span(skew)} {'ahead' if off > -off else 'behind'}"
        clock.offset = before
        yield from harness.past_expiry()
        clock.offset = before + off
        mark = len(harness.requests)
        harness.require_success((yield from harness.calls(5)), when)
        asked = harness.count_token_requests(mark)
        if not asked:
            harness.not_applicable("the client requested no token after the old one had expired")
        harness.require(asked == 1, f"5 calls made {counted(asked, 'token request')} {when}")
        yield from habits.require_the_same(when, _offset(clock, before))


@_rule(
    "TC-64",
    "The time zone of the machine changes nothing",
    does="Sets the process's time zone west and east of Greenwich, and lets a token live through "
    "the end of daylight saving time.",
    why="West of Greenwich an expired token is used for hours; east of it each call requests one.",
    fix="Use datetime.now(UTC) or time.time(); never datetime.utcnow(), nor naive local time.",
    usual_bug="datetime.utcnow().timestamp(), or the difference of two naive local times",
    source="Python documentation: datetime, aware and naive objects",
)
def _local_time(harness: ClientHarness) -> ProbeSteps[None]:
    if not hasattr(time, "tzset"):  # pragma: no cover - the tests run on POSIX
        harness.not_applicable("this system cannot change the zone of a process")
    habits = Habits(harness)
    # Not the zone of this machine: a client that is wrong in it has no habit to keep.
    with _zone(_UTC):
        yield from harness.get_first_token()
        yield from require_cache(harness)
        yield from habits.observe()
        if not habits.replaces_in_time:
            harness.not_applicable(NO_RENEWAL)
    for name, zone in _ZONES.items():
        with _zone(zone):
            # Later than any offset: a token from before the change of the zone has expired.
            yield from harness.move_to(harness.now + _LONG)
            yield from _require_no_change(harness, f"in a time zone {name}")
            yield from habits.require_the_same(f"in a time zone {name}", _zone(_UTC))
    where, again = f"in a time zone {_SUMMER}", partial(_before_winter, harness)
    with _zone(_UTC):
        yield from harness.move_to(_before_winter(harness, _PHASE))
        yield from _require_no_change(harness, where)
        yield from habits.require_the_same(where, _zone(_UTC), early_is_fine=True, again=again)


def _require_no_change(harness: ClientHarness, where: str) -> ProbeSteps[None]:
    """After the zone changed, calls work, and go on with one token."""
    _require_local_time(harness)
    harness.require_success((yield from harness.calls(3)), where, ours_alone=True)
    mark = len(harness.requests)
    harness.require_success((yield from harness.calls(5)), where, ours_alone=True)
    asked = harness.count_token_requests(mark)
    harness.require(not asked, f"5 calls made {counted(asked, 'token request')} {where}")


def _require_no_loop(harness: ClientHarness, mark: int, calls: int, when: str) -> None:
    asked = harness.count_token_requests(mark)
    got = f"{calls} calls made {counted(asked, 'token request')} {when}"
    harness.require(asked <= max(2, calls // 2), got)


def _signed(jump: dt.timedelta) -> str:
    return f"{'-' if jump < dt.timedelta(0) else '+'}{span(abs(jump))}"


def _before_winter(harness: ClientHarness, phase: float) -> dt.datetime:
    """When a token should be requested to live through an end of daylight saving time.

    That end is made for the purpose, a few days from now. The next real one may be a year away, and
    a client that works in the background would request thousands of tokens until then.
    """
    end = (harness.now + 2 * _LONG).replace(hour=6, minute=0, second=0, microsecond=0)
    day = end.timetuple().tm_yday - 1
    os.environ["TZ"] = f"EST5EDT,{(day - _SUMMER_DAYS) % 365},{day}"
    time.tzset()
    return end - life(harness)[1] * (_BEFORE + phase)


@contextmanager
def _offset(clock: Clock, offset: dt.timedelta) -> Iterator[None]:
    """Set the server's clock, and leave the client's alone."""
    before = clock.offset
    clock.offset = offset
    try:
        yield
    finally:
        clock.offset = before


@contextmanager
def _zone(zone: str) -> Iterator[None]:
    try:
        with EnvironmentVariables({"TZ": zone}):
            time.tzset()
            yield
    finally:
        time.tzset()


def _require_local_time(harness: ClientHarness) -> None:
    """Local time must follow the zone, which freezegun's does not."""
    local = dt.datetime.now().astimezone(dt.UTC)  # noqa: TID251 - as a client reads it
    apart = abs(local - harness.sandbox.clock.process_time())
    naive = dt.datetime.now() - dt.datetime.now(dt.UTC).replace(tzinfo=None)  # noqa: DTZ005, TID251 - as above
    if apart > _NEAR or abs(naive) < _JUMP:
        harness.not_applicable(
            "freezegun gives UTC for local time, so no zone can be seen: use the option "
            "time_engine='time-machine'"
        )
