"""TC-58, TC-60 and TC-61: what an error costs, and whether a client recovers from it."""

import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import TICK, ClientHarness
from pytest_turris.conformance.preconditions import renew, renew_well, require_cache
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.faults.hostile.raw import RawAnswer, as_bytes
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.text.plurals import counted
from pytest_turris.core.wire.hosts import is_turris
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.in_process import httpx
from pytest_turris.process.patch import Patch

REFUSALS = RuleFamily()
_rule = REFUSALS.rule

_UNAUTHORIZED, _LIMITED = 401, 429
_TURNS = 2_000
_PAUSE = 0.01
_PAUSES = 100
_LONGEST = 1.0
_PATIENCE = 300_000 * TICK
_OF_TOKENS: dict[str, dict[str, Any]] = {
    **{f"a {status}": {"status": status} for status in (400, 401, 403, 404, 429, 500, 503)},
    "a broken connection": {"error": "reset"},
}
_OF_CALLS: dict[str, dict[str, Any]] = {
    **{f"a {status}": {"status": status} for status in (400, 403, 404, 409, 429, 500, 503)},
    "a broken connection": {"error": "reset"},
    "a refused connection": {"error": "connect"},
    "a silence of two minutes": {"delay": 120_000 * TICK},
    "a 503 that lasts": {"status": 503, "times": None},
    "a broken connection, again and again,": {"error": "reset", "times": None},
}


@_rule(
    "TC-58",
    "A late 401 does not discard a new token",
    does="Revokes all tokens, and lets the 401 of one call arrive when another call has a new "
    "token already.",
    why="Under load each 401 in flight requests a token of its own; then the limit is used up.",
    fix="On a 401, drop the token that was refused, and only if it is still the current one.",
    usual_bug="a 401 clears the cache, whatever token is in it",
    source="vendor: 10 a minute; golang.org/x/oauth2",
)
def _late_refusal(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    yield from require_cache(harness)
    harness.sandbox.tokens.revoke_all()
    mark = len(harness.requests)
    with _first_refusal_held(harness) as held:
        results = yield from harness.calls(2, at_once=True)
    asked = harness.count_token_requests(mark)
    if not asked or not held.was_late:
        harness.not_applicable("no refusal came after a new token: look at TC-12 and TC-22 first")
    asked_text = counted(asked, "token request")
    harness.require(
        asked == 1,
        f"two calls whose old token was refused made {asked_text}: the second 401 came when there "
        "was a new token, and discarded that",
    )
    harness.require_success(results, "after their token was revoked")


@_rule(
    "TC-60",
    "The client recovers from every error of the token endpoint",
    does="Answers the token requests of a call with an error, of each kind in turn; five minutes "
    "later, the endpoint works again.",
    why="One bad minute of the token endpoint stops the application until it is restarted.",
    fix="Store nothing for good when a token request fails; release locks in a finally block.",
    usual_bug="the error, or a flag such as `disabled`, is kept",
    source="AWS Builders' Library: static stability",
)
def _recovers(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    for name, effect in _OF_TOKENS.items():
        with harness.fault("get_oauth_token", **effect, times=None):
            yield from renew(harness)
        harness.sandbox.limits.reset()
        yield from harness.advance(_PATIENCE)
        harness.require_success(
            (yield from harness.calls()),
            f"five minutes after {name} of the token endpoint, with a working one",
            ours_alone=True,
        )


@_rule(
    "TC-61",
    "Only a 401 costs a token",
    does="Answers a call with 400, 403, 404, 409, 429, 500, 503 or a broken connection, once or "
    "until it gives up, and then makes one more.",
    why="Each failing call costs a token request, of which ten a minute are allowed.",
    fix="Drop the token on a 401 alone.",
    usual_bug="every error clears the cache, 'to be safe'",
    source="RFC 6750, 3.1: 401 is the status about the token",
)
def _keeps_its_token(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    yield from require_cache(harness)
    for name, effect in _OF_CALLS.items():
        asked = yield from _token_requests_after(harness, effect)
        if asked and ("delay" in effect or effect.get("status") == _LIMITED):
            # The client waited, and may renew at fixed times of the day. Two are not so close.
            asked = yield from _token_requests_after(harness, effect)
        got = f"{name} of the API made {counted(asked, 'token request')}"
        harness.require(not asked, got)


def _token_requests_after(harness: ClientHarness, effect: dict[str, Any]) -> ProbeSteps[int]:
    """How many token requests a failing call costs; 0 if the token was old by then."""
    token = yield from renew_well(harness)
    harness.sandbox.limits.reset()
    mark = len(harness.requests)
    with harness.fault("*", **effect):
        yield from harness.calls()
    young = harness.now - token.issued_at < harness.sandbox.options.token_ttl / 2
    yield from harness.calls()
    return harness.count_token_requests(mark) if young else 0


class _Held:
    """The first refusal, which waits until another call has got a new token."""

    def __init__(self) -> None:
        self.first = threading.Lock()
        self.renewed = threading.Event()
        self.was_late = False

    def answer(self, request: Request, response: Response, *, in_loop: bool) -> Response:
        """The answer of the API, later if it is the first refusal."""
        if response.status != _UNAUTHORIZED:
            self.renewed.set()
            return response
        self.was_late |= self.renewed.is_set()
        if not is_turris(request.host) and self.first.acquire(blocking=False):
            raise RawAnswer(self._late(as_bytes(response)))
        if not in_loop and self.first.acquire(blocking=False):
            self.was_late = self.renewed.wait(_LONGEST)
        return response

    def _late(self, answer: bytes) -> Iterator[float | bytes]:
        """What the server writes: nothing until another call has a new token, then the answer."""
        for _ in range(_PAUSES):
            if self.renewed.is_set():
                self.was_late = True
                break
            yield _PAUSE
        yield answer

    async def let_others_run(self, checkpoint: Callable[[], Awaitable[object]]) -> None:
        """In place of the door's: the task that comes first goes on when another has a token."""
        await checkpoint()
        if self.first.acquire(blocking=False):
            for _ in range(_TURNS):
                if self.renewed.is_set():
                    break
                await checkpoint()


@contextmanager
def _first_refusal_held(harness: ClientHarness) -> Iterator[_Held]:
    held = _Held()

    def hold(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if request.is_token_request:
            return response
        return held.answer(request, response, in_loop=harness.has_loop)

    def holding(checkpoint: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
        return lambda: held.let_others_run(checkpoint)

    with harness.intercepting(hold), Patch((httpx, "checkpoint", holding)):
        yield held
