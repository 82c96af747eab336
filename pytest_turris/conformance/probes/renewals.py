"""TC-06 and TC-41: what a client does with a token that has expired, or cannot be renewed."""

import datetime as dt
from collections.abc import Callable
from functools import partial

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import TICK, ClientHarness
from pytest_turris.conformance.preconditions import NO_RENEWAL
from pytest_turris.conformance.probes.expiry import life, require_no_expired
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.faults.fault import Fault
from pytest_turris.core.faults.scripted import Faults
from pytest_turris.core.text.durations import moment, span

RENEWALS = RuleFamily()
_rule = RENEWALS.rule

_WINDOWS = 6
_FAILURES = 20
"""More than the retries of two calls; a client that retries until it has a token then gets one."""
_ADD = partial(Faults.add, operation="get_oauth_token", times=_FAILURES, optional=True)
_NO_TOKEN: dict[str, Callable[[Faults], Fault]] = {
    "answered 503": partial(_ADD, status=503),
    "broke each connection": partial(_ADD, error="reset"),
    "answered without a token": partial(
        Faults.hostile, name="AR-02/missing", times=_FAILURES, optional=True
    ),
}
"""What the token endpoint did, with the fault for that."""
_PATIENCE = dt.timedelta(minutes=5)


@_rule(
    "TC-06",
    "An expired token is never sent",
    does="Makes a call at the expiry, a millisecond after it, and a day after it; then more while "
    "the token endpoint answers 503, breaks each connection, or answers without a token.",
    why="The first call after a quiet hour fails, or costs one refused request.",
    fix="Check the age of the token before each call; without a valid token, raise an error.",
    usual_bug="the expiry is not checked after a quiet hour",
    source="vendor: expiration handling",
)
def _never_expired(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    ttl, _ = life(harness)
    for age in (ttl, ttl + TICK, ttl + dt.timedelta(days=1)):
        yield from harness.move_to_token_age(age)
        mark = len(harness.requests)
        results = yield from harness.calls()
        yield from require_no_expired(harness, mark)
        harness.require_success(results, f"after {moment(age)} without calls")
    for what, begin in _NO_TOKEN.items():
        yield from _not_while_renewals_fail(harness, what, begin)


@_rule(
    "TC-41",
    "After a failed refresh the old token is used while it is valid",
    does="Lets the token endpoint answer 503, and waits until the client wants to replace a token "
    "that is still valid.",
    why="A short outage of the token endpoint becomes an outage of every call.",
    fix="Keep the old token until there is a new one, and use it until it expires.",
    usual_bug="the old token is dropped before the refresh",
    source="botocore's advisory window; neither Turris nor RFC 6749 asks for it",
    level="should",
)
def _failed_refresh(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    ttl, due = life(harness)
    step = (due - ttl / 2) / _WINDOWS
    ages = [ttl / 2 + step * number for number in range(_WINDOWS)]
    token = harness.sandbox.tokens.newest
    with harness.fault("get_oauth_token", status=503, times=None):
        for age in (*ages, due + (ttl - due) / 10):
            yield from harness.move_to_token_age(age)
            mark = len(harness.requests)
            results = yield from harness.calls(2)
            if harness.count_token_requests(mark) and token:
                left = span(token.expires_at - harness.now)
                harness.require_success(
                    results,
                    "while the token endpoint answered 503; the old token was valid for "
                    f"{left} more",
                )
                return
    harness.not_applicable(NO_RENEWAL)


def _not_while_renewals_fail(
    harness: ClientHarness, what: str, begin: Callable[[Faults], Fault]
) -> ProbeSteps[None]:
    """An old token stays unused until there is a new one, even if the client does not ask yet."""
    harness.sandbox.limits.reset()
    mark = len(harness.requests)
    fault = begin(harness.sandbox.faults)
    try:
        yield from harness.past_expiry()
        yield from harness.calls(2)
    finally:
        harness.sandbox.faults.remove(fault)
    yield from harness.advance(_PATIENCE)
    yield from harness.calls()
    yield from require_no_expired(harness, mark, f", after the token endpoint {what}")
