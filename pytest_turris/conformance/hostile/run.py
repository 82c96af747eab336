"""Gives a hostile answer to the client, in all variants, and checks what the client does."""

import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass

from pytest_turris.conformance.call_result import CallResult, require_no_crash
from pytest_turris.conformance.driver import STEP_TIMEOUT, ClientCall, Perform, ProbeSteps
from pytest_turris.conformance.errors import EXPIRED_TOKEN, ViolationError
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.hostile.answer_waits import require_bounded_waits
from pytest_turris.conformance.hostile.bad_certificates import offer_bad_certificates
from pytest_turris.conformance.late_calls import blame_machine, require_in_time
from pytest_turris.conformance.observation.leaks import Traces
from pytest_turris.conformance.observation.recorded_request import RecordedRequest
from pytest_turris.conformance.observation.recorder import RunawayError
from pytest_turris.conformance.preconditions import why_it_fails
from pytest_turris.core.faults.hostile.answer import HostileAnswer, Variant
from pytest_turris.core.faults.hostile.outcomes import RECORD_ID
from pytest_turris.core.faults.hostile.raw import RawAnswer
from pytest_turris.core.middleware.idempotency import REPLAYED
from pytest_turris.core.text.plurals import counted
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.time_travel.sleeps import SleptTooLongError

BUDGET = dt.timedelta(minutes=10)
"""How much a client may sleep for one call in total."""

_PAUSE = dt.timedelta(minutes=2)
_TRIES = 4
_AT_ONCE = 2
"""A retry may follow at once; from the next one on, a pause is due."""
_CLOSE_SECONDS = 1.0
"""How long the server, which is another thread, may take to close a connection."""
_HIDE = "Log method, path and status only; give secrets a repr that hides them."
_MOVE = "Send the token in the Authorization header, and the secret in the body, not in the URL."
_FORGED = re.compile(r"[\r\n]2025-01-01 INFO forged|\x1b\[31m")


@dataclass(frozen=True)
class _Observed:
    """What the client did when it got one variant."""

    name: str
    """``AR-33/half-open``."""
    variant: Variant
    result: CallResult
    seen: list[RecordedRequest]
    raw: list[RawAnswer]
    effects: int
    """How many writes took effect and were acknowledged."""

    @property
    def tries(self) -> list[RecordedRequest]:
        """The requests that the answer was for."""
        token = self.variant.endpoint == "token"
        return [seen for seen in self.seen if (seen.is_token_request if token else seen.is_api)]


def run_hostile_check(harness: ClientHarness, answer: HostileAnswer) -> ProbeSteps[str]:
    """Give all variants in turn; returns in words which could not be given, and why.

    Raises:
        ViolationError: The client cannot cope with one.
        NotApplicableError: None could be given.
    """
    yield from harness.get_first_token()
    if answer.variants[0].endpoint == "handshake":
        yield from offer_bad_certificates(harness, [variant.name for variant in answer.variants])
        return ""
    left_out: dict[str, list[str]] = {}
    for variant in answer.variants:
        why = (
            _not_here(harness, variant)
            or (yield from _why_not_given_well(harness, variant))
            or (yield from _run_variant(harness, answer, variant))
        )
        if why:
            left_out.setdefault(why, []).append(variant.name)
    reasons = "; ".join(f"{', '.join(map(repr, names))}: {why}" for why, names in left_out.items())
    if sum(map(len, left_out.values())) == len(answer.variants):
        raise NotApplicableError(reasons)
    return reasons


def _not_here(harness: ClientHarness, variant: Variant) -> str:
    in_process = harness.requests[0].in_process
    if variant.transport == "socket" and in_process:
        return "needs a socket, ask for turris_server"
    if variant.transport == "process" and not in_process:
        return "in process only, because over a socket the time would really pass"
    if variant.endpoint == "write" and harness.client.write is None:
        return "give a POST of the client, run(call, write=...)"
    if variant.endpoint == "record" and harness.client.record is None:
        return "give a GET of one record by its id, run(call, record=...)"
    return ""


def _why_not_given_well(harness: ClientHarness, variant: Variant) -> ProbeSteps[str]:
    """Why a call besides the first fails by itself: it would say nothing about the answer."""
    if variant.endpoint not in ("write", "record"):
        return ""
    return (yield from why_it_fails(harness, variant.endpoint, _call_for(harness, variant)))


def _run_variant(
    harness: ClientHarness, answer: HostileAnswer, variant: Variant
) -> ProbeSteps[str]:
    call, max_seconds = _call_for(harness, variant), harness.client.max_seconds
    yield from _prepare(harness, variant)
    mark, journal_mark = len(harness.requests), harness.sandbox.journal.seen
    faults = harness.sandbox.faults
    name = f"{answer.id}/{variant.name}"
    fault = faults.hostile(name, optional=True, max_seconds=max_seconds)
    harness.time.limit_sleeps(BUDGET)
    with harness.traces() as traces:
        (result,) = yield Perform((call,), timeout=STEP_TIMEOUT + _TRIES * max_seconds)
    raw, seen = list(faults.raw_answers), harness.since(mark)
    faults.remove(fault)
    faults.hang_up()
    if not harness.requests[0].in_process:
        for one in raw:
            one.wait_until_closed(_CLOSE_SECONDS)
    if variant.endpoint == "record" and not any(RECORD_ID.search(s.request.path) for s in seen):
        return "the call given as record= did not ask for a record by its id"
    _require_no_expired_token(harness, name, variant, mark)
    _require_valid_token(harness, name, result, mark)
    observed = _Observed(name, variant, result, seen, raw, _effects(harness, journal_mark))
    if not observed.tries:
        why = "" if result.error is None else f": {result}"
        return f"the client sent no request that it answers{why}"
    _require_result(harness, observed)
    _require_bounded_requests(harness, observed)
    _require_no_traces(harness, observed, traces)
    harness.time.limit_sleeps(None)
    yield from _require_recovery(harness, name, call, mark)
    _require_no_expired_token(harness, name, variant, mark)
    return ""


def _call_for(harness: ClientHarness, variant: Variant) -> ClientCall:
    calls = {"write": harness.client.write, "record": harness.client.record}
    return calls.get(variant.endpoint) or harness.client.call


def _prepare(harness: ClientHarness, variant: Variant) -> ProbeSteps[None]:
    yield from harness.advance(_PAUSE)
    if variant.endpoint == "token" and variant.cached:
        yield from harness.to_refresh_point(dt.timedelta(seconds=30))
    elif variant.endpoint == "token":
        yield from harness.past_expiry()


def _require_recovery(
    harness: ClientHarness, name: str, call: ClientCall, mark: int
) -> ProbeSteps[None]:
    yield from harness.advance(_PAUSE)
    before = len(harness.requests)
    (result,) = yield Perform((call,))
    _require_valid_token(harness, name, result, before)
    if result.may_have_timed_out and not harness.requests[0].in_process:
        # A machine that is too slow for the client's timeout lets some calls pass, and a client
        # that keeps a broken connection none.
        later = yield Perform((call,) * _TRIES)
        has_asked = len(harness.requests) > before
        if any(one.error is None for one in later) or (result.timed_out and has_asked):
            blame_machine(result, "a call with ordinary answers")
    harness.require(
        result.error is None, f"{name}: later, with ordinary answers, the call failed: {result}"
    )
    cookies = [seen for seen in harness.since(mark) if seen.request.header("cookie")]
    harness.require(not cookies, f"{name}: a cookie was sent back")


def _require_no_expired_token(
    harness: ClientHarness, name: str, variant: Variant, mark: int
) -> None:
    """A client that asked for a new token does not make do with an expired one.

    One that sends the expired token before it asks, as if it knew no time, is a matter of TC-06.
    """
    sent = harness.since(mark)
    asked = next((at for at, seen in enumerate(sent) if seen.is_token_request), len(sent))
    expired = [at for at, seen in enumerate(sent) if seen.is_api and seen.is_expired]
    if variant.endpoint == "token" and expired and asked < expired[0]:
        raise ViolationError(
            f"{name}: an expired token was sent after this answer to a token request",
            "must",
            expected="no expired token is sent: see TC-06",
            fix="Without a valid token, raise an error.",
            kind=EXPIRED_TOKEN,
        )


def _require_valid_token(harness: ClientHarness, name: str, result: CallResult, mark: int) -> None:
    """A call that failed for its expired token says nothing about the answer."""
    if result.error is not None and (why := harness.blame(mark, limits=False)):
        raise NotApplicableError(f"{name}: {why}")


def _effects(harness: ClientHarness, mark: int) -> int:
    """Counts writes that took effect and were acknowledged."""
    return sum(
        exchange.method != "GET"
        and exchange.operation != "get_oauth_token"
        and 200 <= exchange.status < 300  # noqa: PLR2004 - RFC 9110, success
        and REPLAYED not in exchange.notes
        for exchange in harness.sandbox.journal.since(mark)
    )


def _require_result(harness: ClientHarness, observed: _Observed) -> None:
    name, result, variant = observed.name, observed.result, observed.variant
    if isinstance(result.error, SleptTooLongError):
        raise ViolationError(f"{name}: the call did not return: {result.error}")
    harness.require(not isinstance(result.error, RunawayError), f"{name}: {result.error}")
    require_no_crash([result], f"{name}: a crash, not an error of the client's own")
    if variant.endless:
        _require_bounds(harness, observed)
    if variant.expects == "succeeds":
        require_in_time([result], observed.seen)
        harness.require(result.error is None, f"{name}: the call failed: {result}")
    if variant.expects == "refuses":
        harness.require(result.error is not None, f"{name}: the call returned a result")
    if variant.large:
        # As with an endless body, only Turris itself could misuse it: so it is advice.
        harness.recommend(
            result.error is not None,
            f"{name}: the client read 16 MB to the end, and returned {_described(result.value)}: "
            "it has no limit for the size, or a larger one",
        )
    if variant.delay:
        require_bounded_waits(harness, observed.tries[: variant.times], result, f"{name}: ")


def _described(value: object) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"


def _require_bounds(harness: ClientHarness, observed: _Observed) -> None:
    """Require an end of what is endless.

    Most clients have a timeout for each read and no other limit, which only Turris itself could
    misuse: so that is advice. Without any timeout, a connection that breaks blocks it forever.
    """
    silent = observed.variant.endless == "silence"
    demand = harness.require if silent else harness.recommend
    what = "no timeout" if silent else "no limit for the size or for the whole time"
    for answer in observed.raw:
        # On a busy machine the server may be first, though the client has a timeout.
        demand(
            not answer.exhausted or observed.result.timed_out,
            f"{observed.name}: the client stayed until the server hung up, after "
            f"{answer.max_seconds:g} s of real time or 32 MB: it has {what}, or a longer one. Make "
            "it shorter in tests, or let the server wait longer than the client does: "
            f"run(call, max_seconds={3 * answer.max_seconds:g})",
        )


def _require_bounded_requests(harness: ClientHarness, observed: _Observed) -> None:
    name, variant, tries = observed.name, observed.variant, observed.tries
    most = variant.max_requests
    got = f"{name}: one call made {counted(len(tries), 'request')}; at most {most} are expected"
    harness.require(len(tries) <= most, got)
    if variant.min_wait and len(tries) > 1:
        waited = (tries[1].at - tries[0].at).total_seconds()
        got = f"{name}: the client waited {waited:g} s; the answer asked for {variant.min_wait:g} s"
        harness.require(waited >= variant.min_wait, got)
    at_once = _sent_without_a_pause(tries)
    got = f"{name}: the client sent the same request {at_once} times without a pause"
    harness.require(not variant.paced or at_once <= _AT_ONCE, got)
    if variant.processed:
        got = f"{name}: the write took effect {observed.effects + 1} times"
        harness.require(not observed.effects, got)
    secrets = harness.secrets()
    leaked = [seen for seen in observed.seen if seen.elsewhere and seen.find(secrets)]
    harness.require(not leaked, f"{name}: a credential went to another origin")


def _sent_without_a_pause(tries: list[RecordedRequest]) -> int:
    """The most requests that were the same and at the same moment: those of a call may differ."""
    moments = Counter((seen.at, seen.request.method, seen.request.target) for seen in tries)
    return max(moments.values())


def _require_no_traces(harness: ClientHarness, observed: _Observed, traces: Traces) -> None:
    secrets = harness.secrets()
    # What the client's own repr shows is the matter of TC-28, not of each answer.
    shown = harness.find_in_errors([observed.result], secrets) or traces.find_secret(secrets)
    if shown:
        in_url = any(seen.find(secrets) == "the URL" for seen in observed.seen)
        rule, fix = ("TC-16", _MOVE) if in_url else ("TC-28", _HIDE)
        got = f"{observed.name}: a secret or a token shows in {shown}"
        raise ViolationError(got, expected=f"it shows nowhere: see {rule}", fix=fix)
    harness.advise_on_reprs([observed.result], f"{observed.name}: ")
    forged = any(_FORGED.search(text) for text in traces.messages)
    harness.require(not forged, f"{observed.name}: control characters of the answer are in the log")
