"""How often a client asks for a token."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_turris.conformance.driver import Cancel, Flow
from pytest_turris.conformance.errors import CaseError
from pytest_turris.conformance.harness import TICK, Lab
from pytest_turris.conformance.probes.registry import probe
from pytest_turris.core.api.routes import TOKEN_REQUEST
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.time_travel.sleeps import real_sleep

_HELD = 0.05
_MANY = 50


@probe("TC-01")
def one_token(lab: Lab) -> Flow[None]:
    """Fifty calls, one after the other."""
    yield from lab.warm()
    lab.succeeded((yield from lab.calls(_MANY - 1)), "with a good token")
    asked = len(lab.token_requests)
    lab.require(asked == 1, f"{_MANY} calls in a row made {asked} token requests instead of 1")


@probe("TC-02")
def cold_start(lab: Lab) -> Flow[None]:
    """Many calls at once, without a token."""
    with _held(lab):
        outcomes = yield from lab.together()
    asked = len(lab.token_requests)
    if not asked:
        raise CaseError(f"the calls sent no token request: {outcomes[0]}")
    lab.require(
        asked == 1, f"{len(outcomes)} calls at once without a token made {asked} token requests"
    )
    lab.succeeded(outcomes, "at once")


@probe("TC-03")
def refresh_under_load(lab: Lab) -> Flow[None]:
    """Many calls at once, a millisecond after the refresh point, or well after the expiry."""
    yield from lab.warm()
    buffered = yield from lab.heeds_buffer()
    if buffered:
        lab.time.to_refresh_point(plus=TICK)
    else:
        lab.outlive()
    mark = len(lab.sightings)
    with _held(lab):
        outcomes = yield from lab.together()
    asked = sum(s.is_token_request for s in lab.since(mark))
    lab.require(
        asked == 1,
        f"{len(outcomes)} calls at once with a token that {'is due' if buffered else 'expired'} "
        f"made {asked} token requests instead of 1",
    )
    lab.succeeded(outcomes, "at once")


@probe("TC-04")
def several_clients(lab: Lab) -> Flow[None]:
    """Three clients, two calls each."""
    made = []
    for _ in range(3):
        outcome = yield from lab.fresh()
        made.append(outcome)
    lab.succeeded(made, "with a client of its own")
    before = len(lab.token_requests)
    yield from lab.warm()
    lab.succeeded((yield from lab.calls(5)), "after other clients were made")
    asked = len(lab.token_requests)
    lab.require(before <= len(made), f"{len(made)} clients made {before} token requests")
    lab.require(asked <= before + 1, f"6 calls of one more client made {asked - before}")


@probe("TC-42")
def no_storm(lab: Lab) -> Flow[None]:
    """The token endpoint is down for a minute while a call is made each second."""
    yield from lab.warm()
    lab.time.to_refresh_point(plus=30_000 * TICK)
    began, mark = lab.time.now, len(lab.sightings)
    with lab.fault("get_oauth_token", status=503, times=None):
        while (lab.time.now - began).total_seconds() < 60:  # noqa: PLR2004 - a minute
            yield from lab.calls()
            lab.time.advance(seconds=1)
    asked = sum(s.is_token_request for s in lab.since(mark))
    limit = lab.sandbox.options.token_requests_per_minute
    if not asked:
        lab.unobserved("the client replaces no token before its expiry, see TC-05")
    lab.require(
        asked <= limit, f"a minute of failures made {asked} token requests; {limit} are allowed"
    )


@probe("TC-43")
def cancelled_refresh(lab: Lab) -> Flow[None]:
    """The first call is cancelled while it asks for a token; then others need one."""
    yield from lab.warm()
    for turns in range(1, 9):
        lab.outlive()
        yield Cancel(lab.subject.call, turns)
        lab.sandbox.limits.reset()
        outcomes = yield from lab.calls(2, at_once=True)
        lab.succeeded(outcomes, "after another call was cancelled during its refresh")


@contextmanager
def _held(lab: Lab) -> Iterator[None]:
    """The first token request takes a moment, so that all others find the token missing."""
    first = threading.Lock()

    def hold(request: Request, handle: Handle) -> Response:
        if (request.method, request.path) == TOKEN_REQUEST and first.acquire(blocking=False):
            real_sleep(_HELD)
        return handle(request)

    with lab.intercepting(hold):
        yield
