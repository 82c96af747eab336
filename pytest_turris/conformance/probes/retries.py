"""TC-62 and TC-68: how often a call is tried, and with what body."""

import datetime as dt
import json

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.preconditions import require_cache, require_write
from pytest_turris.conformance.probes.writing import writes_since
from pytest_turris.conformance.rule import RuleFamily

RETRIES = RuleFamily()
_rule = RETRIES.rule

_MOST = 6
_BUDGET = dt.timedelta(minutes=10)


@_rule(
    "TC-62",
    "Retries do not multiply",
    does="Answers every request of a call with 503, then breaks every connection.",
    why="Three tries in each of two layers are nine requests to a server that is down already.",
    fix="Retry in one layer, and at most five times; set the retries of the other layers to 0.",
    usual_bug="a session retries, and a decorator around it too",
    source="AWS Builders' Library: retries at one layer",
    level="should",
)
def _multiplied(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    for name, effect in (("503", {"status": 503}), ("a broken connection", {"error": "reset"})):
        mark = len(harness.requests)
        harness.time.limit_sleeps(_BUDGET)
        with harness.fault("*", **effect, times=None):
            yield from harness.calls()
        harness.time.limit_sleeps(None)
        tries = sum(seen.is_api for seen in harness.since(mark))
        got = f"one call was tried {tries} times when each try got {name}"
        harness.require(tries <= _MOST, got)
        yield from harness.advance(_BUDGET)


@_rule(
    "TC-68",
    "A write that is repeated after a 401 has its whole body",
    does="Revokes all tokens before a write whose body is a stream, a file, or text.",
    why="A stream that was read once is empty: Turris gets a write without its data.",
    fix="Keep the bytes of the body, or make the stream again for the second try.",
    usual_bug="the request object is sent again after its stream was read",
    source="google-cloud-python issue 18238",
    needs="write",
)
def _whole_body(harness: ClientHarness) -> ProbeSteps[None]:
    yield from require_write(harness)
    yield from require_cache(harness)
    harness.sandbox.tokens.revoke_all()
    mark = len(harness.requests)
    yield from harness.writes()
    first, *again = writes_since(harness, mark)
    if not again:
        harness.not_applicable("a write that gets a 401 is not repeated, see TC-12")
    for seen in again:
        size, before = len(seen.request.body), len(first.request.body)
        got = f"the write was repeated with {size} of its {before} bytes"
        shorter = size < before and not _is_json(seen.request.body)
        harness.require(not shorter, got)


def _is_json(body: bytes) -> bool:
    """Whether it is a document by itself: it may have been written again, in a shorter form."""
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
