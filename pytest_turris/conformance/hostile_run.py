"""How a hostile answer is given to the client, and what is looked at afterwards."""

import datetime as dt
import re
from dataclasses import dataclass

from pytest_turris.conformance.driver import PATIENCE as STEP_PATIENCE
from pytest_turris.conformance.driver import Call, Flow, Make
from pytest_turris.conformance.errors import BrokenError, UnobservedError
from pytest_turris.conformance.harness import Lab
from pytest_turris.conformance.leaks import Traces
from pytest_turris.conformance.outcome import Outcome
from pytest_turris.conformance.recorded_request import Sighting
from pytest_turris.conformance.recorder import RunawayError
from pytest_turris.conformance.tls_servers import handshakes
from pytest_turris.core.faults.hostile.answer import HostileAnswer, Variant
from pytest_turris.core.faults.hostile.outcomes import RECORD_ID
from pytest_turris.core.faults.hostile.raw import RawAnswer
from pytest_turris.core.middleware.idempotency import REPLAYED
from pytest_turris.time_travel.sleeps import SleptTooLongError

BUDGET = dt.timedelta(minutes=10)
"""How much a client may sleep for one call in total."""

_PAUSE = dt.timedelta(minutes=2)
_TRIES = 4
_FORGED = re.compile(r"[\r\n]2025-01-01 INFO forged|\x1b\[31m")


@dataclass(frozen=True)
class _Given:
    """One variant that was given, and what was seen of the client."""

    where: str
    variant: Variant
    outcome: Outcome
    seen: list[Sighting]
    raw: list[RawAnswer]
    effects: int

    @property
    def tries(self) -> list[Sighting]:
        """The requests that the answer was for."""
        token = self.variant.where == "token"
        return [s for s in self.seen if (s.is_token_request if token else s.is_api)]


def trial(lab: Lab, answer: HostileAnswer, patience: float) -> Flow[str]:
    """Give all variants in turn; in words, which of them could not be given, and why.

    Raises:
        BrokenError: The client does not cope with one.
        UnobservedError: None could be given.
    """
    yield from lab.warm()
    if answer.variants[0].where == "handshake":
        yield from handshakes(lab, [variant.name for variant in answer.variants])
        return ""
    left_out: dict[str, list[str]] = {}
    for variant in answer.variants:
        why = _not_here(lab, variant) or (yield from _give(lab, answer, variant, patience))
        if why:
            left_out.setdefault(why, []).append(variant.name)
    words = "; ".join(f"{', '.join(map(repr, names))}: {why}" for why, names in left_out.items())
    if sum(map(len, left_out.values())) == len(answer.variants):
        raise UnobservedError(words)
    return words


def _not_here(lab: Lab, variant: Variant) -> str:
    in_process = lab.sightings[0].in_process
    if variant.over == "socket" and in_process:
        return "needs a socket, ask for turris_server"
    if variant.over == "process" and not in_process:
        return "in process only, over a socket nothing sleeps"
    if variant.where == "write" and lab.subject.write is None:
        return "give a POST of the client, run(call, write=...)"
    if variant.where == "record" and lab.subject.record is None:
        return "give a GET of one record by its id, run(call, record=...)"
    return ""


def _give(lab: Lab, answer: HostileAnswer, variant: Variant, patience: float) -> Flow[str]:
    call = _call_for(lab, variant)
    _prepare(lab, variant)
    mark, journal_mark = len(lab.sightings), lab.sandbox.journal.seen
    faults = lab.sandbox.faults
    fault = faults.hostile(f"{answer.id}/{variant.name}", optional=True, patience=patience)
    lab.time.limit_sleeps(BUDGET)
    with lab.traces() as traces:
        (outcome,) = yield Make((call,), patience=STEP_PATIENCE + _TRIES * patience)
    raw, seen = list(faults.raw_answers), lab.since(mark)
    faults.remove(fault)
    faults.hang_up()
    if variant.where == "record" and not any(RECORD_ID.search(s.request.path) for s in seen):
        return "the call given as record= asked for no record by its id"
    given = _Given(
        f"{answer.id}/{variant.name}", variant, outcome, seen, raw, _effects(lab, journal_mark)
    )
    if not given.tries:
        return "the client sent no request that it answers"
    _judge_outcome(lab, given)
    _judge_requests(lab, given)
    _judge_traces(lab, given, traces)
    lab.time.limit_sleeps(None)
    yield from _heal(lab, given.where, call, mark)
    return ""


def _call_for(lab: Lab, variant: Variant) -> Call:
    calls = {"write": lab.subject.write, "record": lab.subject.record}
    return calls.get(variant.where) or lab.subject.call


def _prepare(lab: Lab, variant: Variant) -> None:
    lab.time.advance(_PAUSE)
    if variant.where == "token" and variant.cached:
        lab.time.to_refresh_point(plus=dt.timedelta(seconds=30))
    elif variant.where == "token":
        lab.outlive()


def _heal(lab: Lab, where: str, call: Call, mark: int) -> Flow[None]:
    lab.time.advance(_PAUSE)
    (healed,) = yield Make((call,))
    lab.require(
        healed.error is None, f"{where}: later, with honest answers, the call failed: {healed}"
    )
    cookies = [s for s in lab.since(mark) if s.request.header("cookie")]
    lab.require(not cookies, f"{where}: a cookie was sent back")


def _effects(lab: Lab, mark: int) -> int:
    """How many writes took an effect of their own, and were told so."""
    return sum(
        exchange.method != "GET"
        and exchange.operation != "get_oauth_token"
        and 200 <= exchange.status < 300  # noqa: PLR2004 - RFC 9110, success
        and REPLAYED not in exchange.notes
        for exchange in lab.sandbox.journal.since(mark)
    )


def _judge_outcome(lab: Lab, given: _Given) -> None:
    where, outcome, variant = given.where, given.outcome, given.variant
    if isinstance(outcome.error, SleptTooLongError):
        raise BrokenError(f"{where}: the client would not come back: {outcome.error}")
    lab.require(not isinstance(outcome.error, RunawayError), f"{where}: {outcome.error}")
    lab.require(not outcome.crashed, f"{where}: a crash and no error of its own: {outcome}")
    if variant.endless:
        _judge_patience(lab, given)
    if variant.expects == "succeeds":
        lab.require(outcome.error is None, f"{where}: the call failed: {outcome}")
    if variant.expects == "refuses":
        lab.require(outcome.error is not None, f"{where}: the call gave a result all the same")
    waited_out = variant.delay and len(given.tries) == 1 and outcome.error is None
    lab.require(not waited_out, f"{where}: the client waited {variant.delay} for one answer")


def _judge_patience(lab: Lab, given: _Given) -> None:
    for answer in given.raw:
        lab.require(
            not answer.exhausted,
            f"{given.where}: the client stayed until the server hung up, after "
            f"{answer.patience:g} s of real time or 32 MB: it has no bound for size or time, or "
            "a longer one. Make it shorter in tests, or give run(call, patience=...)",
        )


def _judge_requests(lab: Lab, given: _Given) -> None:
    where, variant, tries = given.where, given.variant, given.tries
    most = variant.most
    lab.require(len(tries) <= most, f"{where}: {len(tries)} tries of one call; {most} at most")
    if variant.waits and len(tries) > 1:
        waited = (tries[1].at - tries[0].at).total_seconds()
        told = f"{where}: it was told to wait {variant.waits:g} s and waited {waited:g} s"
        lab.require(waited >= variant.waits, told)
    if variant.processed:
        again = f"{where}: the write took effect {given.effects + 1} times"
        lab.require(not given.effects, again)
    abroad = [s for s in given.seen if s.foreign and s.holds(lab.needles())]
    lab.require(not abroad, f"{where}: a credential went to another origin")


def _judge_traces(lab: Lab, given: _Given, traces: Traces) -> None:
    leak = lab.shown([given.outcome]) or traces.leak(lab.needles())
    lab.require(not leak, f"{given.where}: a secret or a token shows in {leak}")
    forged = any(_FORGED.search(text) for text in traces.messages)
    lab.require(not forged, f"{given.where}: control characters of the answer reached the log")
