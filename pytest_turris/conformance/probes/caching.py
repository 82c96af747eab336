"""TC-01 to TC-04, TC-42 and TC-43: how often a client asks for a token."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_turris.conformance.driver import Cancel, ProbeSteps
from pytest_turris.conformance.errors import CaseError
from pytest_turris.conformance.harness import PAST, TICK, ClientHarness
from pytest_turris.conformance.late_calls import require_in_time
from pytest_turris.conformance.preconditions import (
    NO_RENEWAL,
    require_cache,
    require_moving_clock,
)
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.text.plurals import counted
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.time_travel.blocking import real_sleep

CACHING = RuleFamily()
_rule = CACHING.rule

_HELD = 0.05
_MANY = 50
_OTHERS = 2
_SECONDS = 60
_TRIES = 2


@_rule(
    "TC-01",
    "One token serves many calls",
    does="Makes fifty calls, one after the other.",
    why="Ten token requests a minute are allowed; then every call fails with 429.",
    fix="Keep the token, and use it until it is due for a refresh.",
    usual_bug="a token is requested for each call",
    source="vendor: cache tokens",
)
def _one_token(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    results = yield from harness.calls(_MANY - 1)
    asked = len(harness.token_requests)
    asked_text = counted(asked, "token request")
    harness.require(asked == 1, f"{_MANY} calls in a row made {asked_text} instead of 1")
    harness.require_success(results, "with a valid token")


@_rule(
    "TC-02",
    "Concurrent first calls make one token request",
    does="Makes many calls at once while the client has no token.",
    why="After each start under load the limit of token requests is used up at once.",
    fix="Hold a lock while the token is requested, and look for a token again inside it.",
    usual_bug="there is no lock around the first token",
    source="authlib guards it with a lock",
)
def _cold_start(harness: ClientHarness) -> ProbeSteps[None]:
    with _first_token_held(harness):
        results = yield from harness.calls_at_once()
    require_in_time(results, harness.requests)
    asked = len(harness.token_requests)
    if not asked:
        raise CaseError(f"the calls sent no token request: {results[0]}")
    if asked > 1:
        yield from require_cache(harness)
    asked_text = counted(asked, "token request")
    harness.require(
        asked == 1, f"{len(results)} calls at once without a token made {asked_text} instead of 1"
    )
    harness.require_success(results, "at once")


@_rule(
    "TC-03",
    "Concurrent refreshes make one token request",
    does="Makes many calls at once when the token has just become due, or has expired.",
    why="Once an hour, under load, the limit of token requests is used up at once.",
    fix="Check again inside the lock whether the token is still due.",
    usual_bug="the expiry is checked only outside the lock",
    source="botocore: one thread refreshes",
)
def _refresh_under_load(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    yield from require_cache(harness)
    buffered = yield from harness.refreshes_in_buffer()
    if buffered:
        yield from harness.to_refresh_point(PAST)
    else:
        yield from harness.past_expiry()
    mark = len(harness.requests)
    with _first_token_held(harness):
        results = yield from harness.calls_at_once()
    require_in_time(results, harness.requests)
    asked = harness.count_token_requests(mark)
    if not asked:
        yield from require_moving_clock(harness)
        harness.not_applicable(
            "no call needed a new token: it is renewed in the background, or look at TC-06 first"
        )
    harness.require(
        asked == 1,
        f"{len(results)} calls at once with a token that {'is due' if buffered else 'expired'} "
        f"made {counted(asked, 'token request')} instead of 1",
    )
    harness.require_success(results, "at once")


@_rule(
    "TC-04",
    "Each client makes one token request",
    does="Makes three clients with one call each, then six calls with one more client.",
    why="Two clients that overwrite each other's token request one for each call.",
    fix="Keep the token in the client, or in a cache whose key is the client.",
    usual_bug="the key of the cache is the call, not the client",
    source="authlib issue 673",
    needs="new_client",
)
def _several_clients(harness: ClientHarness) -> ProbeSteps[None]:
    made = []
    for _ in range(3):
        result = yield from harness.new_client()
        made.append(result)
    harness.require_success(made, "each with a client of its own")
    before = len(harness.token_requests)
    yield from harness.get_first_token()
    harness.require_success((yield from harness.calls(5)), "after other clients were made")
    asked = len(harness.token_requests)
    before_text = counted(before, "token request")
    harness.require(before <= len(made), f"{len(made)} clients made {before_text}")
    more = counted(asked - before, "token request")
    harness.require(asked <= before + 1, f"6 calls of one more client made {more}")


@_rule(
    "TC-42",
    "A failing token endpoint is not flooded",
    does="Answers token requests with 503 for a minute, while one call is made each second.",
    why="The requests keep the endpoint down, and use up the limit for when it is up again.",
    fix="After a failed refresh, wait before the next one, and use the old token meanwhile.",
    usual_bug="each call tries to refresh",
    source="vendor: 10 a minute; AWS Builders' Library",
    level="should",
)
def _no_storm(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    yield from require_cache(harness)
    yield from harness.to_refresh_point(30_000 * TICK)
    began, mark = harness.now, len(harness.requests)
    with harness.fault("get_oauth_token", status=503, times=None):
        while (harness.now - began).total_seconds() < _SECONDS:
            yield from harness.calls()
            yield from harness.advance(1_000 * TICK)
    asked = harness.count_token_requests(mark)
    limit = harness.sandbox.options.token_requests_per_minute
    if not asked:
        harness.not_applicable(NO_RENEWAL)
    got = f"a minute of failures, with a call each second, made {counted(asked, 'token request')}"
    # Without a pause each call asks once, as applications without much traffic may do.
    more = f"{got}: one call asks more than {_TRIES} times"
    harness.recommend(asked <= _SECONDS * _TRIES, more, "must")
    harness.require(asked <= limit, f"{got}; {limit} a minute are allowed")


@_rule(
    "TC-43",
    "A cancelled refresh does not block other calls",
    does="Cancels a call while it asks for a token, then makes two calls that need one.",
    why="A request that a user aborts stops the whole application until it is restarted.",
    fix="Release the lock, or clear the marker, in a finally block. Let calls that wait for one "
    "task await asyncio.shield(task).",
    usual_bug="the lock or the marker of the refresh stays",
    source="editor-code-assistant issue 462",
    needs="an async client",
)
def _cancelled_refresh(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    for turns in range(1, 9):
        yield from harness.past_expiry()
        _, *others = yield Cancel(harness.client.call, turns, others=_OTHERS)
        harness.require_success(others, "when another call was cancelled during its refresh")
        harness.sandbox.limits.reset()
        results = yield from harness.calls(2, at_once=True)
        harness.require_success(results, "after another call was cancelled during its refresh")


@contextmanager
def _first_token_held(harness: ClientHarness) -> Iterator[None]:
    """The first token request takes a moment, so that all other calls find no token."""
    first = threading.Lock()

    def hold(request: Request, handle: Handle) -> Response:
        if request.is_token_request and first.acquire(blocking=False):
            real_sleep(_HELD)
        return handle(request)

    with harness.intercepting(hold):
        yield
