"""TC-05, TC-07, TC-10 and TC-11: when a client replaces its token."""

import datetime as dt
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pytest_turris.conformance.call_result import require_no_crash
from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import PAST, TICK, ClientHarness
from pytest_turris.conformance.preconditions import (
    NO_RENEWAL,
    renew,
    require_cache,
    require_expiry_known,
    require_moving_clock,
)
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
_SHORTER = (600, 120)
"""Longer than the usual buffers, and shorter."""
_MOST_LOOPS = 2


@_rule(
    "TC-05",
    "A token is replaced inside its refresh buffer at the latest",
    does="Makes calls a millisecond before, at and after the refresh point, a second after it, and "
    "at the expiry.",
    why="A token that is used until its last moment expires while a call is under way.",
    fix="Replace the token when its age is greater than its lifetime minus the buffer, or earlier.",
    usual_bug="the buffer is forgotten or inverted",
    source="vendor: elapsed > TTL - buffer",
)
def _inside_the_buffer(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    ttl, due = life(harness)
    for age in (due - TICK, due, due + TICK, due + PAST, ttl - TICK, ttl, ttl + TICK):
        yield from harness.move_to_token_age(age)
        mark = len(harness.requests)
        results = yield from harness.calls()
        # Within the second it is the same to a client that counts whole seconds.
        yield from require_no_older(harness, mark, due, least=due + PAST)
        sent = [seen.age for seen in harness.since(mark) if seen.is_api and seen.age]
        harness.recommend(
            all(old <= due for old in sent),
            f"at an age of {moment(max(sent, default=due))} the token was still used; it is due "
            f"when older than {moment(due)}, but whole seconds are exact enough",
            "info",
        )
        harness.require_success(results, f"with a token of age {moment(age)}")
        harness.recommend(
            age >= due or not harness.count_token_requests(mark),
            f"at an age of {moment(age)} the token was replaced, although it is due only when "
            f"older than {moment(due)}; that is safe, and costs a token request now and then",
            "info",
        )


@_rule(
    "TC-07",
    "A token's age counts from before its request",
    does="Lets the token endpoint take three seconds, then makes a call at the refresh point.",
    why="The client believes that the token is younger than it is, and uses it for too long; a "
    "short buffer is then used up.",
    fix="Read the clock before the token request is sent.",
    usual_bug="the clock is read when the answer arrives, however late that is",
    source="conservative clock handling",
    level="should",
)
def _slow_token_endpoint(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    if not (yield from harness.refreshes_in_buffer()):
        harness.not_applicable(NO_RENEWAL)
    with harness.fault("get_oauth_token", delay=dt.timedelta(seconds=3), times=None):
        if (yield from renew(harness)).error is not None:
            harness.not_applicable("the client does not wait three seconds for a token")
    slow, asked_at = harness.sandbox.tokens.newest, harness.token_requests[-1].at
    _, due = life(harness)
    yield from harness.move_to(asked_at + due + PAST)
    mark = len(harness.requests)
    harness.require_success((yield from harness.calls()), "after the refresh point")
    harness.require(
        all(seen.token is not slow for seen in harness.since(mark) if seen.is_api),
        f"{moment(due + PAST)} after the token request was sent, the token was still used: its "
        "age was counted from the answer, which took 3 s",
    )


@_rule(
    "TC-10",
    "A shorter expiresIn is honoured",
    does="Lets every expiresIn be 600 seconds, later 120, and makes a call a second after that.",
    why="When Turris shortens the lifetime, every call fails for most of an hour.",
    fix="Read the lifetime from expiresIn; shorten the buffer if the lifetime is short.",
    usual_bug="60 minutes are written in the code",
    source="RFC 6749, 5.1; the vendor's own sample does not read it",
    level="should",
)
def _shorter_life(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    yield from require_cache(harness)
    yield from require_expiry_known(harness)
    for seconds in _SHORTER:
        with _expires_in(harness, seconds):
            harness.require_success([(yield from renew(harness))], f"with a token of {seconds} s")
            mark = len(harness.requests)
            results = yield from harness.calls(4)
            harness.require_success(results, f"with a token of {seconds} s")
            _recommend_no_loop(harness, mark, 4, f"with tokens of {seconds} s")
            lifetime = dt.timedelta(seconds=seconds)
            yield from harness.move_to_token_age(lifetime + dt.timedelta(seconds=1))
            mark = len(harness.requests)
            results = yield from harness.calls()
            yield from require_no_older(
                harness, mark, lifetime, f"a token with expiresIn {seconds} was still used"
            )
            harness.require_success(results, f"after {seconds + 1} s")


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
    ttl, _ = life(harness)
    yield from harness.get_first_token()
    yield from require_cache(harness)
    yield from require_expiry_known(harness)
    for name, value in _STRANGE.items():
        harness.sandbox.limits.reset()
        with _expires_in(harness, value):
            first = yield from renew(harness)
            mark = len(harness.requests)
            results = [first, *(yield from harness.calls(4))]
        require_no_crash(results, f"expiresIn {name} crashed the client")
        # A client that refuses the answer has no token, and has to ask again.
        failed = sum(result.error is not None for result in results)
        _recommend_no_loop(harness, mark, 4, f"with expiresIn {name}", failed)
        harness.sandbox.limits.reset()
        yield from harness.move_to_token_age(ttl + dt.timedelta(minutes=1))
        mark = len(harness.requests)
        results = yield from harness.calls()
        yield from require_no_expired(harness, mark, f": with expiresIn {name} it never expires")
        harness.require_success(results, f"an hour after expiresIn {name}")


def life(harness: ClientHarness) -> tuple[dt.timedelta, dt.timedelta]:
    """How long a token is valid, and after how long it is due for a refresh."""
    options = harness.sandbox.options
    return options.token_ttl, options.token_ttl - options.refresh_buffer


def require_no_older(
    harness: ClientHarness,
    mark: int,
    due: dt.timedelta,
    what: str = "the token was still used",
    *,
    least: dt.timedelta | None = None,
) -> ProbeSteps[None]:
    """No token was sent that is older than ``due``, or as old as ``least``.

    Raises:
        ViolationError: One was.
        NotApplicableError: One was, by a client whose clock does not move.
    """
    limit = least or due + TICK
    old = [s for s in harness.since(mark) if s.is_api and s.age is not None and s.age >= limit]
    if old:
        yield from require_moving_clock(harness)
        age = moment(old[0].age or due)
        harness.require(
            condition=False,
            got=f"at an age of {age} {what}; it is due when older than {moment(due)}",
        )


def require_no_expired(harness: ClientHarness, mark: int, why: str = "") -> ProbeSteps[None]:
    """No expired token was sent.

    Raises:
        ViolationError: One was.
        NotApplicableError: One was, by a client whose clock does not move.
    """
    expired = [s for s in harness.since(mark) if s.is_api and s.is_expired]
    if expired:
        yield from require_moving_clock(harness)
        age = moment(expired[0].age or dt.timedelta(0))
        harness.require(condition=False, got=f"an expired token was sent, at an age of {age}{why}")


def _recommend_no_loop(
    harness: ClientHarness, mark: int, calls: int, when: str, failed: int = 0
) -> None:
    asked = harness.count_token_requests(mark)
    got = f"{calls} calls made {counted(asked, 'token request')} {when}"
    harness.recommend(asked <= _MOST_LOOPS + failed, got)


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
