"""TC-08 and TC-09: clocks that jump, and clocks that differ."""

import datetime as dt

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.preconditions import renew_well, require_cache
from pytest_turris.conformance.probes.expiry import life
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.text.durations import moment, span
from pytest_turris.core.text.plurals import counted

CLOCKS = RuleFamily()
_rule = CLOCKS.rule

_JUMP = dt.timedelta(hours=1)
_NEAR = dt.timedelta(seconds=1)


@_rule(
    "TC-08",
    "A wall clock that jumps causes no loop",
    does="Moves the client's wall clock an hour forward and back; the server's clock goes on.",
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
    clock = harness.sandbox.clock
    _, due = life(harness)
    skew, young = due * 0.55, due * 0.6
    yield from harness.get_first_token()
    yield from require_cache(harness)
    yield from renew_well(harness)
    keeps = not (yield from _replaced_by(harness, young))
    replaces = yield from _replaced_by(harness, due + _NEAR)
    for off in (skew, -skew):
        when = f"while the server's clock was {span(skew)} {'ahead' if off > -off else 'behind'}"
        yield from harness.past_expiry()
        now = clock.process_time()
        clock.offset = off
        yield from harness.move_to(now + off)
        mark = len(harness.requests)
        harness.require_success((yield from harness.calls(5)), when)
        asked = harness.count_token_requests(mark)
        if not asked:
            harness.not_applicable("the client requested no token after the old one had expired")
        harness.require(asked == 1, f"5 calls made {counted(asked, 'token request')} {when}")
        if keeps:
            early = yield from _replaced_by(harness, young)
            harness.require(not early, f"a token of age {moment(young)} was replaced {when}")
        if replaces:
            replaced = yield from _replaced_by(harness, due + _NEAR)
            got = f"a token of age {moment(due + _NEAR)} was still used {when}"
            harness.require(replaced, got)


def _replaced_by(harness: ClientHarness, age: dt.timedelta) -> ProbeSteps[bool]:
    """Whether the newest token is not sent any more when it reaches this age."""
    token = harness.sandbox.tokens.newest
    yield from harness.move_to_token_age(age)
    mark = len(harness.requests)
    harness.require_success((yield from harness.calls()), f"with a token of age {moment(age)}")
    return all(seen.token is not token for seen in harness.since(mark) if seen.is_api)


def _require_no_loop(harness: ClientHarness, mark: int, calls: int, when: str) -> None:
    asked = harness.count_token_requests(mark)
    got = f"{calls} calls made {counted(asked, 'token request')} {when}"
    harness.require(asked <= max(2, calls // 2), got)


def _signed(jump: dt.timedelta) -> str:
    return f"{'-' if jump < dt.timedelta(0) else '+'}{span(abs(jump))}"
