"""TC-46 to TC-49, TC-51 and TC-52: the idempotency keys of writes."""

import datetime as dt
import uuid

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.errors import ViolationError
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.observation.recorded_request import RecordedRequest
from pytest_turris.conformance.preconditions import require_write, why_write_fails
from pytest_turris.conformance.probes.writing import answer_lost, writes_since
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.middleware.idempotency import IDEMPOTENCY_HEADERS
from pytest_turris.core.text.durations import moment

IDEMPOTENCY_KEYS = RuleFamily()
_rule = IDEMPOTENCY_KEYS.rule

_VERSION = 4
_KEYS = 10
_TRIES = 5


@_rule(
    "TC-46",
    "A retry repeats the key and the bytes",
    does="Lets a write take effect, and loses its answer.",
    why="The same key with another body is a conflict: 409 or 422 in place of the result.",
    fix="Keep the bytes of the body and the key until the outcome is known.",
    usual_bug="the body is serialised again for the retry",
    source="IETF Idempotency-Key draft",
    needs="write",
)
def _same_bytes(harness: ClientHarness) -> ProbeSteps[None]:
    yield from require_write(harness)
    mark = len(harness.requests)
    with answer_lost(harness, broken=True):
        yield from harness.writes()
    first, *again = writes_since(harness, mark)
    if not again:
        harness.not_applicable("a write whose answer is lost is not repeated")
    for seen in again:
        harness.require(seen.request.body == first.request.body, "the retry had another body")
        harness.require(seen.key == first.key, "the retry had another idempotency key")


@_rule(
    "TC-47",
    "Each operation has its own key",
    does="Makes three writes, each an operation of its own.",
    why="Turris answers the second operation with the result of the first, and does nothing.",
    fix="Make a new key for each operation.",
    usual_bug="one key is used for the client's life",
    source="vendor: idempotency",
    needs="write",
)
def _new_key_each(harness: ClientHarness) -> ProbeSteps[None]:
    keys = yield from _keys(harness, 3)
    shared = f"{len(keys)} operations shared an idempotency key"
    harness.require(len(set(keys)) == len(keys), shared)


@_rule(
    "TC-48",
    "A key is a random UUID",
    does="Makes ten writes, and looks at the form of their keys.",
    why="A key that can be guessed, or computed from the data, is used twice sooner or later.",
    fix="Use uuid.uuid4(), written in its canonical form.",
    usual_bug="uuid5 of the e-mail address",
    source="IETF Idempotency-Key draft, security",
    needs="write",
)
def _random_key(harness: ClientHarness) -> ProbeSteps[None]:
    keys = yield from _keys(harness, _KEYS)
    for key in keys:
        try:
            value = uuid.UUID(key.strip('"'))
        except ValueError:
            raise ViolationError("an idempotency key is not a UUID") from None
        harness.require(
            value.version == _VERSION, f"an idempotency key is a UUID of version {value.version}"
        )
        harness.require(str(value) == key.strip('"'), "an idempotency key is not in canonical form")


@_rule(
    "TC-49",
    "A key is not used after its hour",
    does="Answers 503 with a Retry-After longer than Turris keeps a key.",
    why="Turris has forgotten the key, so a write that took effect happens twice.",
    fix="Give up on a write, or look whether it took effect, when its key is an hour old.",
    usual_bug="a queue of retries is released too late",
    source="vendor: idempotency, 1 h",
    needs="write",
)
def _not_after_its_hour(harness: ClientHarness) -> ProbeSteps[None]:
    yield from require_write(harness)
    later = harness.sandbox.options.idempotency_ttl + dt.timedelta(minutes=2)
    mark = len(harness.requests)
    headers = {"Retry-After": str(int(later.total_seconds()))}
    with harness.fault("*", status=503, headers=headers):
        yield from harness.writes()
    sent = _with_keys(harness, mark)
    for seen in sent:
        old = seen.at - sent[0].at
        late = old > harness.sandbox.options.idempotency_ttl and seen.key == sent[0].key
        harness.require(
            not late, f"an idempotency key was used again {moment(old)} after its first use"
        )


@_rule(
    "TC-51",
    "The key is in one header, as a plain value",
    does="Makes a write, and looks at how its key is sent.",
    why="Which of two headers counts is undocumented, and a quoted value is another key.",
    fix="Send one of the two headers, without quotes.",
    usual_bug="both headers are sent, or the value is quoted",
    source="vendor: idempotency; IETF draft",
    needs="write",
)
def _one_header(harness: ClientHarness) -> ProbeSteps[None]:
    yield from _keys(harness, 1)
    for seen in writes_since(harness, 0):
        request = seen.request
        both = all(map(request.header, IDEMPOTENCY_HEADERS))
        harness.require(not both, f"both {' and '.join(IDEMPOTENCY_HEADERS)} were sent")
        harness.require('"' not in seen.key, "the idempotency key was sent in quotes")


@_rule(
    "TC-52",
    "A 409 or 422 about a key is final",
    does="Answers every try of a write with 409, then with 422.",
    why="The first write may have taken effect; another key makes a second one.",
    fix="Give the error to the caller, and do not repeat the write with another key.",
    usual_bug="a new key is made and sent",
    source="IETF Idempotency-Key draft",
    level="should",
    needs="write",
)
def _conflict(harness: ClientHarness) -> ProbeSteps[None]:
    yield from require_write(harness)
    for status in (409, 422):
        mark = len(harness.requests)
        with harness.fault("*", status=status, times=None):
            yield from harness.writes()
        sent = _with_keys(harness, mark)
        harness.require(len(sent) <= _TRIES, f"a {status} about a key was tried {len(sent)} times")
        keys = {seen.key for seen in sent}
        harness.require(len(keys) == 1, f"after a {status} about a key the client used another key")


def _keys(harness: ClientHarness, writes: int) -> ProbeSteps[list[str]]:
    yield from harness.get_first_token()
    mark = len(harness.requests)
    yield from harness.writes(writes)
    # A refused write shows its key too: the reason may be the key.
    is_sent = any(seen.is_write for seen in harness.since(mark))
    if not is_sent and (why := (yield from why_write_fails(harness))):
        harness.not_applicable(why)
    return [seen.key for seen in _with_keys(harness, mark)]


def _with_keys(harness: ClientHarness, mark: int) -> list[RecordedRequest]:
    sent = [seen for seen in writes_since(harness, mark) if seen.key]
    if not sent:
        harness.not_applicable("the write carries no idempotency key")
    return sent
