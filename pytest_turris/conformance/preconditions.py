"""Preconditions of a probe.

Without them it gives no verdict, and names another rule, so that one bug breaks one rule.
"""

import datetime as dt

from pytest_turris.conformance.call_result import CallResult
from pytest_turris.conformance.driver import ClientCall, Perform, ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.observation.real_clocks import clock_value, clocks_read
from pytest_turris.core.access.tokens import AccessToken

_DAY = dt.timedelta(days=1)
_CACHE = "cachetools"

NO_RENEWAL = (
    "no call renewed the token at the refresh point: the client does so later (see TC-05), or in "
    "the background"
)


def require_cache(harness: ClientHarness) -> ProbeSteps[None]:
    """The client has a token, and uses it for its next call.

    Raises:
        NotApplicableError: It asks for a token for each call.
    """
    mark = len(harness.requests)
    yield from harness.calls()
    if harness.count_token_requests(mark):
        harness.not_applicable("the client requests a token for each call: look at TC-01 first")


def why_it_fails(harness: ClientHarness, name: str, call: ClientCall) -> ProbeSteps[str]:
    """Let the client make a call of the test while nothing is provoked; returns why it fails.

    Args:
        harness: The client's.
        name: The argument that the call was given as.
        call: The call.

    Returns:
        The reason in words; empty if it works.
    """
    mark = harness.sandbox.journal.seen
    (result,) = yield Perform((call,))
    asked = [one for one in harness.sandbox.journal.since(mark) if not one.is_token_request]
    # A client may keep a refusal to itself, and read something before it writes.
    decisive = [one for one in asked if one.method != "GET"] or asked
    if decisive and all(one.refused for one in decisive):
        return f"the call given as {name}= is refused: {decisive[-1].status}, {decisive[-1].reason}"
    if result.error is not None:
        return f"the call given as {name}= fails although nothing was provoked: {result}"
    return ""


def why_write_fails(harness: ClientHarness) -> ProbeSteps[str]:
    """The same for the client's write; empty too if the test gave none."""
    write = harness.client.write
    return (yield from why_it_fails(harness, "write", write)) if write else ""


def require_write(harness: ClientHarness) -> ProbeSteps[None]:
    """The client has a token, and its write takes effect while nothing is provoked.

    Raises:
        CaseError: The call itself fails.
        NotApplicableError: The write fails, or the test gave none.
    """
    yield from harness.get_first_token()
    if why := (yield from why_it_fails(harness, "write", harness.client.given_write)):
        harness.not_applicable(why)


def renew(harness: ClientHarness) -> ProbeSteps[CallResult]:
    """Let the newest token expire, and let the client make a call, for which it needs a new one.

    What the token endpoint is to do must be in force already: a client may renew in the background
    while the time passes.

    Raises:
        NotApplicableError: No token was issued meanwhile.
    """
    before = harness.sandbox.tokens.newest
    mark = len(harness.requests)
    yield from harness.past_expiry()
    (result,) = yield from harness.calls()
    if harness.sandbox.tokens.newest is before and not harness.count_token_requests(mark):
        yield from require_moving_clock(harness)
        harness.not_applicable(
            "the client requested no token after the old one had expired: look at TC-06 first"
        )
    return result


def renew_well(harness: ClientHarness) -> ProbeSteps[AccessToken]:
    """The same, where nothing is provoked; returns the new token, which was sent.

    Raises:
        NotApplicableError: The call failed, or was not made with the new token.
    """
    result = yield from renew(harness)
    newest = harness.sandbox.tokens.newest
    sent = [seen for seen in harness.requests if seen.is_api]
    if result.error is not None or newest is None or not sent or sent[-1].token is not newest:
        harness.not_applicable(
            f"the call after the expiry of a token was not made with a new one ({result}): look "
            "at TC-06 first"
        )
    return newest


def require_expiry_known(harness: ClientHarness) -> ProbeSteps[None]:
    """The client replaces an expired token by itself, not only when it is refused.

    Raises:
        NotApplicableError: It sends the expired token first.
    """
    mark = len(harness.requests)
    yield from renew_well(harness)
    if any(seen.is_api and seen.is_expired for seen in harness.since(mark)):
        yield from require_moving_clock(harness)
        harness.not_applicable("the client sends an expired token: look at TC-06 first")


def require_moving_clock(harness: ClientHarness) -> ProbeSteps[None]:
    """The client reads no clock that time travel does not move.

    Raises:
        NotApplicableError: It does; the reason names the module and the clock.
    """
    with clocks_read() as found:
        yield from harness.calls()
    before = {name: clock_value(clock) for name, clock in found.items()}
    yield from harness.advance(_DAY)
    still = [
        name
        for name, clock in found.items()
        if clock_value(clock) - before[name] < _DAY.total_seconds() / 2
    ]
    cache = next((name for name in still if name.startswith(_CACHE)), "")
    # A client may time its own reads by another clock than its tokens.
    if cache or (still and len(still) == len(found)):
        hint = f" For {_CACHE}, pass timer=lambda: time.monotonic()." if cache else ""
        harness.not_applicable(
            f"the client's clock did not move ({cache or still[0]}): it was stored before the test "
            "began, for example as a default argument. Read the clock through its module when it "
            f"is needed, or pass it in.{hint}"
        )
