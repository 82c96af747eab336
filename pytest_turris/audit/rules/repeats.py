"""Repetitions of refused calls, rate-limited calls, and writes of unknown outcome."""

import datetime as dt
import re
from collections.abc import Iterator
from itertools import groupby, pairwise

from pytest_turris.audit.rules.rule import Look, RuleList
from pytest_turris.audit.seen import SeenRequest
from pytest_turris.core.text.durations import span

REPEATS = RuleList()

_LIMITED = 429
_MOST = 3
_NUMBER = re.compile(r"\d{1,10}")
_AT_ONCE = dt.timedelta(seconds=1)


@REPEATS.rule(
    "RQ-08",
    "A refused call is not repeated as it was",
    does="Counts how often in a row a thread, a task or a connection sends the same request, and "
    "is refused with the same status.",
    why="The answer stays the same, and each repetition counts against the rate limit.",
    fix="Raise the error; after a 401, repeat the call once with a new token.",
    source="RFC 9110, 15.5; RFC 6750, 3.1",
)
def _refused(look: Look) -> None:
    if not any(seen.refused for seen in look.record.seen):
        return  # the usual case, at little cost
    # Calls that run at the same time, with one revoked token, are each refused once: that is right.
    refusals = [one for strand in look.record.strands for one in strand if one.status != _LIMITED]
    for _, group in groupby(refusals, _as_refusal):
        seen = list(group)
        if not seen[0].refused:
            continue
        look.ran += 1
        if len(seen) > _MOST:
            count = f"{len(seen)} times in a row, each refused with {seen[0].status}"
            look.spot(seen, f"the same request, {count}", "an error after the first refusal")


@REPEATS.rule(
    "RQ-09",
    "After a 429 the client waits for the reset",
    does="Looks whether the same call, or several others in a row, came before the reset that a "
    "429 announced, and met the limit once more.",
    why="Each request during the wait is refused too, and may prolong it.",
    fix="Wait until X-RateLimit-Reset, or as Retry-After says, before the next request.",
    source="vendor: guides/rate-limiting; RFC 6585, 4",
    level="should",
)
def _too_soon(look: Look) -> None:
    if all(seen.status != _LIMITED for seen in look.record.seen):
        return  # the usual case, at little cost
    for limited, again in _repeated(look):
        if (reset := _reset_of(limited)) is None:
            continue
        look.ran += 1
        # A test may replace sleeps without moving the clock: then no wait shows. So the limit
        # itself has to say that it was too soon; a 429 that a test scripted does not.
        if reset - again.at > _AT_ONCE and _is_limited(again):
            look.spot(
                [limited, again],
                f"the call was repeated after {span(again.at - limited.at)}, and limited again",
                f"a wait of {span(reset - limited.at)}, until the reset",
            )
    for limited, others in _gone_on(look):
        look.spot(
            [limited, *others],
            f"{len(others)} more requests after it, each limited too",
            "an error, or a wait until the reset",
            kind="went on",
        )


@REPEATS.rule(
    "RQ-10",
    "A write of unknown outcome is repeated with its key only",
    does="Compares the idempotency keys of a write without an answer and of its repetition.",
    why="Turris may have carried the first one out, so the second one does it twice.",
    fix="Repeat it with the same idempotency key, or not at all.",
    source="RFC 9110, 9.2.2; vendor: guides/idempotency",
)
def _twice(look: Look) -> None:
    writes = [one for one in look.record.seen if one.is_write]
    look.ran += sum(one.is_unknown for one in writes)
    for first, again in pairwise(writes):
        if not (first.is_unknown and first.same_as(again) and _is_after(first, again)):
            continue
        if first.call.step == again.call.step and (not first.key or first.key != again.key):
            how = "another idempotency key" if first.key else "no idempotency key"
            look.spot(
                [first, again],
                f"the write was repeated {span(again.at - first.at)} later with {how}",
                "the same idempotency key, or no repetition",
                kind=how,
            )


def _repeated(look: Look) -> Iterator[tuple[SeenRequest, SeenRequest]]:
    """Each limited request with the next one that is the same, in one call of the test."""
    for strand in look.record.strands:
        last: dict[tuple[str, str, bytes], SeenRequest] = {}
        for again in strand:
            limited = last.get(again.content)
            last[again.content] = again
            # Another call of the test: its author knows what it repeats.
            if limited and limited.status == _LIMITED and again.call.step == limited.call.step:
                yield limited, again


def _gone_on(look: Look) -> Iterator[tuple[SeenRequest, list[SeenRequest]]]:
    """Each limited request after which one call of the test sent others, all limited.

    Fewer may have been under way; and a test that sends requests itself may want to be limited.
    """
    for strand in look.record.strands:
        for (status, step), group in groupby(strand, lambda one: (one.status, one.call.step)):
            limited, *others = group
            reset = _reset_of(limited) if status == _LIMITED else None
            if reset is None or step < 0 or look.record.is_of_test(limited.call):
                continue
            others = [one for one in others if reset - one.at > _AT_ONCE and _is_limited(one)]
            if len(others) >= _MOST and not any(one.same_as(limited) for one in others):
                yield limited, others


def _is_limited(seen: SeenRequest) -> bool:
    """Whether the limit itself refused a request, not a fault that a test scripted."""
    return seen.status == _LIMITED and not seen.scripted


def _is_after(first: SeenRequest, again: SeenRequest) -> bool:
    """Whether the second was sent after the first had ended; a lost connection is another later."""
    return first.strand == again.strand or (first.status == 0 and not first.in_process)


def _as_refusal(seen: SeenRequest) -> tuple[object, ...]:
    request = seen.request
    if not seen.refused:
        return (seen.number,)
    same = (seen.status, request.method, request.target, request.body)
    return (*same, seen.call.step, seen.strand)


def _reset_of(seen: SeenRequest) -> dt.datetime | None:
    """When a 429 said that the window resets; None where it said nothing that can be used."""
    answer = dict(seen.answer)
    wait = answer.get("retry-after", "")
    if _NUMBER.fullmatch(wait):
        return seen.at + dt.timedelta(seconds=int(wait))
    reset = answer.get("x-ratelimit-reset", "")
    return dt.datetime.fromtimestamp(int(reset), dt.UTC) if _NUMBER.fullmatch(reset) else None
