"""TC-39, TC-40, TC-50 and TC-53: whether a write happens once, and how many go out a minute."""

from contextlib import AbstractContextManager

from pytest_turris.conformance.driver import Perform, ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.observation.recorded_request import RecordedRequest
from pytest_turris.conformance.preconditions import require_write, why_it_fails
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.faults.hostile.answer import AnswerContext, error_answer
from pytest_turris.core.middleware.allowance import WINDOW
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.text.plurals import counted
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request, Response

WRITING = RuleFamily()
_rule = WRITING.rule


@_rule(
    "TC-39",
    "A write with an unknown outcome is repeated with its key only",
    does="Lets a write take effect, and loses its answer or answers it with 502.",
    why="The write may have taken effect; repeated without its key, it happens twice.",
    fix="Give each write an idempotency key, and repeat it with the same key.",
    usual_bug="every method is retried",
    source="RFC 9110, 9.2.2",
    needs="write",
)
def _unknown_outcome(harness: ClientHarness) -> ProbeSteps[None]:
    yield from require_write(harness)
    for how in ("the connection broke", "a 502 came"):
        mark = len(harness.requests)
        with answer_lost(harness, broken=how.startswith("the")):
            yield from harness.writes()
        sent = writes_since(harness, mark)
        again = [seen for seen in sent[1:] if not seen.key or seen.key != sent[0].key]
        how_again = "with another" if again and again[0].key else "without an"
        harness.require(
            not again,
            f"after {how} a write was sent again {how_again} idempotency key: it may have "
            "happened twice",
        )


@_rule(
    "TC-40",
    "The client throttles its writes",
    does="Makes more writes in a row than a minute allows.",
    why="A batch runs into 429, and every other write of the account with it.",
    fix="Count your writes, and wait before one more than the limit allows in a minute.",
    usual_bug="bursts run into 429",
    source="vendor: rate limiting on your end",
    level="should",
    needs="write",
)
def _throttle(harness: ClientHarness) -> ProbeSteps[None]:
    yield from require_write(harness)
    limit = harness.sandbox.options.writes_per_minute
    yield from harness.writes(limit + limit // 4)
    times = [seen.at for seen in writes_since(harness, 0)]
    most = max(sum(start <= at < start + WINDOW for at in times) for start in times)
    harness.require(most <= limit, f"{most} writes were sent within a minute; {limit} are allowed")


@_rule(
    "TC-50",
    "A lost key cache causes no second effect",
    does="Lets a write take effect, loses its answer, and lets Turris forget its keys.",
    why="Turris keeps keys in memory; after a restart a repeated write happens twice.",
    fix="Before a write is repeated, look whether it took effect.",
    usual_bug="the key alone is relied on",
    source="vendor: in-memory cache",
    level="info",
    needs="write",
)
def _key_cache_lost(harness: ClientHarness) -> ProbeSteps[None]:
    yield from require_write(harness)
    mark, effects = len(harness.requests), 0

    def lose(request: Request, handle: Handle) -> Response:
        nonlocal effects
        response = handle(request)
        if not harness.requests[-1].is_write or response.status >= 300:  # noqa: PLR2004 - RFC 9110
            return response
        effects += 1
        if effects > 1:
            return response
        harness.sandbox.idempotency.forget()
        raise ConnectionFailure("reset")

    with harness.intercepting(lose):
        yield from harness.writes()
    writes_since(harness, mark)
    harness.require(
        effects <= 1,
        f"a write took effect {effects} times: it was repeated without a look whether it took "
        "effect, and Turris had forgotten its key",
    )


@_rule(
    "TC-53",
    "A double click is one operation",
    does="Begins one operation, and makes its call twice at once.",
    why="An impatient user invites, pays or orders twice.",
    fix="Make the key when the operation begins, such as when the form opens.",
    usual_bug="the key is made when the request is sent",
    source="vendor: idempotency",
    level="should",
    needs="operation",
)
def _double_click(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    first = yield from harness.begin_operation()
    if why := (yield from why_it_fails(harness, "operation", first)):
        harness.not_applicable(why)
    call = yield from harness.begin_operation()
    mark = len(harness.requests)
    yield Perform((call, call), at_once=True)
    sent = writes_since(harness, mark)
    keys = {seen.key for seen in sent}
    harness.require(
        len(sent) == 1 or (len(keys) == 1 and "" not in keys),
        f"one operation, called twice at once, was sent {len(sent)} times with "
        f"{counted(len(keys - {''}), 'idempotency key')}; with one key it is one operation",
    )


def writes_since(harness: ClientHarness, mark: int) -> list[RecordedRequest]:
    """The writes that were sent after ``mark = len(harness.requests)``; at least one.

    Raises:
        NotApplicableError: No write was sent.
    """
    sent = [seen for seen in harness.since(mark) if seen.is_write]
    if not sent:
        harness.not_applicable("the write sent no POST, PUT, PATCH or DELETE")
    return sent


def answer_lost(harness: ClientHarness, *, broken: bool) -> AbstractContextManager[None]:
    """The first write takes effect; its answer is a broken connection, or a 502."""
    lost = False

    def lose(request: Request, handle: Handle) -> Response:
        nonlocal lost
        response = handle(request)
        if request.method != "POST" or request.path.startswith("/v1/auth/") or lost:
            return response
        lost = True
        if broken:
            raise ConnectionFailure("reset")
        return error_answer(502)(AnswerContext(request, harness.now, lambda: response))

    return harness.intercepting(lose)
