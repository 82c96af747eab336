"""When a client replaces its token."""

import datetime as dt
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pytest_turris.conformance.driver import Flow
from pytest_turris.conformance.harness import TICK, Lab
from pytest_turris.conformance.probes.registry import probe
from pytest_turris.core.api.routes import TOKEN_REQUEST
from pytest_turris.core.durations import moment
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.messages import Request, Response

_STRANGE: dict[str, object] = {
    "missing": ..., "null": None, "0": 0, "-1": -1, '"3600"': "3600", "1e18": 1e18,
    "NaN": math.nan, "true": True, "an array": [3600],
}  # fmt: skip
_JUMP = dt.timedelta(hours=1)
_NEAR = dt.timedelta(seconds=1)


@probe("TC-05")
def inside_the_buffer(lab: Lab) -> Flow[None]:
    """The boundary points: a millisecond around the refresh point and around the expiry."""
    yield from lab.warm()
    ttl, due = _life(lab)
    for age, wanted in (
        (due - TICK, 0), (due, 0), (due + TICK, 1),
        (ttl - TICK, 1), (ttl, 1), (ttl + TICK, 1),
    ):  # fmt: skip
        lab.age(age)
        mark = len(lab.sightings)
        lab.succeeded((yield from lab.calls()), f"with a token of age {moment(age)}")
        asked = sum(s.is_token_request for s in lab.since(mark))
        words = "was still used" if asked < wanted else "was replaced"
        lab.require(
            asked == wanted,
            f"at an age of {moment(age)} the token {words} ({asked} token requests, expected "
            f"{wanted}); it is due when older than {moment(due)}",
        )


@probe("TC-06")
def never_expired(lab: Lab) -> Flow[None]:
    """Quiet until the expiry, just beyond it, and for a day."""
    yield from lab.warm()
    ttl, _ = _life(lab)
    for age in (ttl, ttl + TICK, ttl + dt.timedelta(days=1)):
        lab.age(age)
        mark = len(lab.sightings)
        lab.succeeded((yield from lab.calls()), f"after {moment(age)} of quiet")
        _require_no_expired(lab, mark)


@probe("TC-07")
def slow_token_endpoint(lab: Lab) -> Flow[None]:
    """The answer with the token takes three seconds."""
    yield from lab.warm()
    if not (yield from lab.heeds_buffer()):
        lab.unobserved("the client replaces no token before its expiry, see TC-05")
    lab.outlive()
    began, mark = lab.time.now, len(lab.sightings)
    with lab.fault("get_oauth_token", delay=dt.timedelta(seconds=3)):
        lab.succeeded((yield from lab.calls()), "while the token endpoint took 3 s")
    _, due = _life(lab)
    lab.time.move_to(began + due + TICK)
    lab.succeeded((yield from lab.calls()), "after the refresh point")
    lab.require(
        sum(s.is_token_request for s in lab.since(mark)) > 1,
        f"{moment(due + TICK)} after the token request was sent the token was still used: its "
        "age was counted from the answer, which took 3 s",
    )


@probe("TC-08")
def wall_clock_jumps(lab: Lab) -> Flow[None]:
    """The client's wall clock jumps an hour forward, an hour back, while the server's does not."""
    clock = lab.sandbox.clock
    yield from lab.warm()
    for jump in (_JUMP, -_JUMP, -_JUMP, _JUMP):
        mark, now = len(lab.sightings), lab.time.now
        clock.offset -= jump
        lab.time.move_to(now)
        lab.succeeded((yield from lab.calls(5)), f"after the wall clock jumped by {jump}")
        _require_no_loop(lab, mark, 5, f"after the wall clock jumped by {jump}")
        ttl, _ = _life(lab)
        lab.time.advance(ttl + dt.timedelta(minutes=1))
        lab.succeeded((yield from lab.calls(3)), "an hour after the jump")
        _require_no_loop(lab, mark, 8, "an hour after the jump")


@probe("TC-09")
def server_clock_differs(lab: Lab) -> Flow[None]:
    """The server's clock is two minutes ahead, then two behind."""
    clock = lab.sandbox.clock
    yield from lab.warm()
    buffered = yield from lab.heeds_buffer()
    for skew in (dt.timedelta(minutes=2), dt.timedelta(minutes=-2)):
        _, due = _life(lab)
        lab.outlive()
        now = clock.process_time()
        clock.offset = skew
        lab.time.move_to(now + skew)
        mark = len(lab.sightings)
        lab.succeeded((yield from lab.calls(5)), f"while the server's clock was off by {skew}")
        asked = sum(s.is_token_request for s in lab.since(mark))
        lab.require(asked == 1, f"5 calls made {asked} token requests with a skew of {skew}")
        lab.age(due - _NEAR)
        lab.succeeded((yield from lab.calls()), "shortly before the refresh point")
        asked = sum(s.is_token_request for s in lab.since(mark))
        lab.require(asked == 1, f"a token was replaced before its time with a skew of {skew}")
        if not buffered:
            continue
        lab.age(due + _NEAR)
        lab.succeeded((yield from lab.calls()), "after the refresh point")
        asked = sum(s.is_token_request for s in lab.since(mark))
        lab.require(asked == 2, f"a token was used beyond its time with a skew of {skew}")  # noqa: PLR2004 - one more


@probe("TC-10")
def shorter_life(lab: Lab) -> Flow[None]:
    """The token endpoint says 120 seconds."""
    with _expires_in(lab, 120):
        yield from lab.warm()
    lab.succeeded((yield from lab.calls(5)), "with a token of 120 s")
    _require_no_loop(lab, 0, 5, "with a token of 120 s")
    asked = len(lab.token_requests)
    lab.age(dt.timedelta(seconds=121))
    lab.succeeded((yield from lab.calls()), "after 121 s")
    lab.require(
        len(lab.token_requests) > asked,
        "a token with expiresIn 120 was still used 121 s after its issue",
    )


@probe("TC-11")
def strange_life(lab: Lab) -> Flow[None]:
    """``expiresIn`` is missing, zero, negative, text, huge, no number."""
    ttl, _ = _life(lab)
    yield from lab.warm()
    for name, value in _STRANGE.items():
        lab.time.advance(2 * ttl)
        mark = len(lab.sightings)
        with _expires_in(lab, value):
            outcomes = yield from lab.calls(5)
        crashed = next((outcome for outcome in outcomes if outcome.crashed), None)
        lab.require(crashed is None, f"expiresIn {name} crashed the client: {crashed}")
        _require_no_loop(lab, mark, 5, f"with expiresIn {name}")
        lab.age(ttl + dt.timedelta(minutes=1))
        mark = len(lab.sightings)
        lab.succeeded((yield from lab.calls()), f"an hour after expiresIn {name}")
        _require_no_expired(lab, mark, f": expiresIn {name} made it last for ever")


@probe("TC-41")
def failed_refresh(lab: Lab) -> Flow[None]:
    """The token endpoint fails while the old token has minutes left."""
    yield from lab.warm()
    buffer = lab.sandbox.options.refresh_buffer
    lab.time.to_refresh_point(plus=buffer / 10)
    mark = len(lab.sightings)
    with lab.fault("get_oauth_token", status=503, times=None):
        outcomes = yield from lab.calls(2)
    if not any(s.is_token_request for s in lab.since(mark)):
        lab.unobserved("the client replaces no token before its expiry, see TC-05")
    lab.succeeded(
        outcomes, f"while the token endpoint answered 503; the token held {buffer * 9 / 10} more"
    )


def _life(lab: Lab) -> tuple[dt.timedelta, dt.timedelta]:
    options = lab.sandbox.options
    return options.token_ttl, options.token_ttl - options.refresh_buffer


def _require_no_expired(lab: Lab, mark: int, why: str = "") -> None:
    for seen in lab.since(mark):
        expired = seen.token is not None and seen.at >= seen.token.expires_at
        words = (
            f"an expired token was sent, at an age of {moment(seen.age or dt.timedelta(0))}{why}"
        )
        lab.require(not (expired and seen.is_api), words)


def _require_no_loop(lab: Lab, mark: int, calls: int, when: str) -> None:
    asked = sum(s.is_token_request for s in lab.since(mark))
    lab.require(asked <= max(2, calls // 2), f"{calls} calls made {asked} token requests {when}")


@contextmanager
def _expires_in(lab: Lab, value: object) -> Iterator[None]:
    def edit(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if (request.method, request.path) != TOKEN_REQUEST or response.status >= 400:  # noqa: PLR2004 - RFC 9110
            return response
        document = json.loads(response.body)
        if value is ...:
            document["data"].pop("expiresIn")
        else:
            document["data"]["expiresIn"] = value
        return replace(response, body=json.dumps(document).encode())

    with lab.intercepting(edit):
        yield
