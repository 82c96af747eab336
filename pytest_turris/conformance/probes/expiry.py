"""TC-05 to TC-11 and TC-41: when a client replaces its token."""

import datetime as dt
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import TICK, ClientHarness
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.text.durations import moment
from pytest_turris.core.text.plurals import counted
from pytest_turris.core.wire.messages import Request, Response

EXPIRY = RuleFamily()
_rule = EXPIRY.rule

_STRANGE: dict[str, object] = {
    "missing": ..., "null": None, "0": 0, "-1": -1, '"3600"': "3600", "1e18": 1e18,
    "NaN": math.nan, "true": True, "an array": [3600],
}  # fmt: skip
_JUMP = dt.timedelta(hours=1)
_NEAR = dt.timedelta(seconds=1)


@_rule(
    "TC-05",
    "A token is replaced inside its refresh buffer, to the millisecond",
    does="Makes calls a millisecond before, at and after the refresh point and the expiry.",
    why="A token that is used until its last moment expires while a call is under way.",
    fix="Replace the token when its age is greater than its lifetime minus the buffer.",
    usual_bug="the buffer is forgotten or inverted, or >= is written for >",
    source="vendor: elapsed > TTL - buffer",
)
def _inside_the_buffer(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    ttl, due = _life(harness)
    for age, wanted in (
        (due - TICK, 0), (due, 0), (due + TICK, 1),
        (ttl - TICK, 1), (ttl, 1), (ttl + TICK, 1),
    ):  # fmt: skip
        harness.move_to_token_age(age)
        mark = len(harness.requests)
        harness.require_success((yield from harness.calls()), f"with a token of age {moment(age)}")
        asked = harness.count_token_requests(mark)
        what = "was still used" if asked < wanted else "was replaced"
        harness.require(
            asked == wanted,
            f"at an age of {moment(age)} the token {what} ({counted(asked, 'token request')}, "
            f"expected {wanted}); it is due when older than {moment(due)}",
        )


@_rule(
    "TC-06",
    "An expired token is never sent",
    does="Makes a call at the expiry, a millisecond after it, and a day after it.",
    why="The first call after a quiet hour fails, or costs one refused request.",
    fix="Check the age of the token before each call.",
    usual_bug="the expiry is not checked after a quiet hour",
    source="vendor: expiration handling",
)
def _never_expired(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    ttl, _ = _life(harness)
    for age in (ttl, ttl + TICK, ttl + dt.timedelta(days=1)):
        harness.move_to_token_age(age)
        mark = len(harness.requests)
        harness.require_success((yield from harness.calls()), f"after {moment(age)} without calls")
        _require_no_expired(harness, mark)


@_rule(
    "TC-07",
    "A token's age counts from before its request",
    does="Lets the token endpoint take three seconds, then makes a call at the refresh point.",
    why="The client believes that the token is younger than it is, and uses it for too long.",
    fix="Read the clock before the token request is sent.",
    usual_bug="the clock is read when the answer arrives, however late that is",
    source="conservative clock handling",
)
def _slow_token_endpoint(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    if not (yield from harness.refreshes_in_buffer()):
        harness.not_applicable("the client replaces no token before its expiry, see TC-05")
    harness.past_expiry()
    began, mark = harness.time.now, len(harness.requests)
    with harness.fault("get_oauth_token", delay=dt.timedelta(seconds=3)):
        harness.require_success((yield from harness.calls()), "while the token endpoint took 3 s")
    _, due = _life(harness)
    harness.time.move_to(began + due + TICK)
    harness.require_success((yield from harness.calls()), "after the refresh point")
    harness.require(
        harness.count_token_requests(mark) > 1,
        f"{moment(due + TICK)} after the token request was sent, the token was still used: its "
        "age was counted from the answer, which took 3 s",
    )


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
    for jump in (_JUMP, -_JUMP, -_JUMP, _JUMP):
        mark, now = len(harness.requests), harness.time.now
        clock.offset -= jump
        harness.time.move_to(now)
        when = f"after the wall clock jumped by {jump}"
        harness.require_success((yield from harness.calls(5)), when)
        _require_no_loop(harness, mark, 5, when)
        ttl, _ = _life(harness)
        harness.time.advance(ttl + dt.timedelta(minutes=1))
        harness.require_success((yield from harness.calls(3)), "an hour after the jump")
        _require_no_loop(harness, mark, 8, "an hour after the jump")


@_rule(
    "TC-09",
    "A difference between the clocks changes nothing",
    does="Sets the server's clock two minutes ahead, then two minutes behind.",
    why="On a machine whose clock is off, tokens are replaced too early or used for too long.",
    fix="Compare times of the client's own clock only; do not read iat, exp or Date.",
    usual_bug="iat, exp or Date are compared with the local clock",
    source="golang/oauth2: 10 s delta",
)
def _server_clock_differs(harness: ClientHarness) -> ProbeSteps[None]:
    clock = harness.sandbox.clock
    yield from harness.get_first_token()
    buffered = yield from harness.refreshes_in_buffer()
    for skew in (dt.timedelta(minutes=2), dt.timedelta(minutes=-2)):
        _, due = _life(harness)
        harness.past_expiry()
        now = clock.process_time()
        clock.offset = skew
        harness.time.move_to(now + skew)
        mark = len(harness.requests)
        when = f"while the server's clock was off by {skew}"
        harness.require_success((yield from harness.calls(5)), when)
        asked = harness.count_token_requests(mark)
        asked_text = counted(asked, "token request")
        harness.require(asked == 1, f"5 calls made {asked_text} {when}")
        harness.move_to_token_age(due - _NEAR)
        harness.require_success((yield from harness.calls()), "shortly before the refresh point")
        asked = harness.count_token_requests(mark)
        harness.require(asked == 1, f"a token was replaced too early {when}")
        if not buffered:
            continue
        harness.move_to_token_age(due + _NEAR)
        harness.require_success((yield from harness.calls()), "after the refresh point")
        asked = harness.count_token_requests(mark)
        harness.require(asked == 2, f"a token was used for too long {when}")  # noqa: PLR2004 - one more


@_rule(
    "TC-10",
    "A shorter expiresIn is honoured",
    does="Issues a token with an expiresIn of 120 seconds, and makes a call after 121.",
    why="When Turris shortens the lifetime, every call fails for most of an hour.",
    fix="Read the lifetime from expiresIn.",
    usual_bug="60 minutes are written in the code",
    source="RFC 6749, 5.1",
)
def _shorter_life(harness: ClientHarness) -> ProbeSteps[None]:
    with _expires_in(harness, 120):
        yield from harness.get_first_token()
    harness.require_success((yield from harness.calls(5)), "with a token of 120 s")
    _require_no_loop(harness, 0, 5, "with a token of 120 s")
    asked = len(harness.token_requests)
    harness.move_to_token_age(dt.timedelta(seconds=121))
    harness.require_success((yield from harness.calls()), "after 121 s")
    harness.require(
        len(harness.token_requests) > asked,
        "a token with expiresIn 120 was still used 121 s after its issue",
    )


@_rule(
    "TC-11",
    "A strange expiresIn causes no crash, no loop and no eternal token",
    does="Issues tokens whose expiresIn is missing, zero, negative, a text, huge or not a number.",
    why="One unusual answer stops the client, or lets it use one token forever.",
    fix="Check type and range of expiresIn; without a sensible value, assume the usual lifetime.",
    usual_bug="int(expiresIn) without bounds",
    source="RFC 6749, 5.1: the member may be absent",
)
def _strange_life(harness: ClientHarness) -> ProbeSteps[None]:
    ttl, _ = _life(harness)
    yield from harness.get_first_token()
    for name, value in _STRANGE.items():
        harness.time.advance(2 * ttl)
        mark = len(harness.requests)
        with _expires_in(harness, value):
            results = yield from harness.calls(5)
        crashed = next((result for result in results if result.crashed), None)
        harness.require(crashed is None, f"expiresIn {name} crashed the client: {crashed}")
        _require_no_loop(harness, mark, 5, f"with expiresIn {name}")
        harness.move_to_token_age(ttl + dt.timedelta(minutes=1))
        mark = len(harness.requests)
        harness.require_success((yield from harness.calls()), f"an hour after expiresIn {name}")
        _require_no_expired(harness, mark, f": with expiresIn {name} it never expires")


@_rule(
    "TC-41",
    "After a failed refresh the old token is used while it is valid",
    does="Lets the token endpoint answer 503 while the old token has minutes left.",
    why="A short outage of the token endpoint becomes an outage of every call.",
    fix="Keep the old token until there is a new one, and use it until it expires.",
    usual_bug="the old token is dropped before the refresh",
    source="botocore's advisory window",
)
def _failed_refresh(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    buffer = harness.sandbox.options.refresh_buffer
    harness.time.to_refresh_point(plus=buffer / 10)
    mark = len(harness.requests)
    with harness.fault("get_oauth_token", status=503, times=None):
        results = yield from harness.calls(2)
    if not harness.count_token_requests(mark):
        harness.not_applicable("the client replaces no token before its expiry, see TC-05")
    left = buffer * 9 / 10
    harness.require_success(
        results, f"while the token endpoint answered 503; the old token was valid for {left} more"
    )


def _life(harness: ClientHarness) -> tuple[dt.timedelta, dt.timedelta]:
    options = harness.sandbox.options
    return options.token_ttl, options.token_ttl - options.refresh_buffer


def _require_no_expired(harness: ClientHarness, mark: int, why: str = "") -> None:
    for seen in harness.since(mark):
        expired = seen.token is not None and seen.at >= seen.token.expires_at
        age = moment(seen.age or dt.timedelta(0))
        got = f"an expired token was sent, at an age of {age}{why}"
        harness.require(not (expired and seen.is_api), got)


def _require_no_loop(harness: ClientHarness, mark: int, calls: int, when: str) -> None:
    asked = harness.count_token_requests(mark)
    got = f"{calls} calls made {counted(asked, 'token request')} {when}"
    harness.require(asked <= max(2, calls // 2), got)


@contextmanager
def _expires_in(harness: ClientHarness, value: object) -> Iterator[None]:
    def edit(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if not request.is_token_request or response.status >= 400:  # noqa: PLR2004 - RFC 9110
            return response
        document = json.loads(response.body)
        if value is ...:
            document["data"].pop("expiresIn")
        else:
            document["data"]["expiresIn"] = value
        return replace(response, body=json.dumps(document).encode())

    with harness.intercepting(edit):
        yield
