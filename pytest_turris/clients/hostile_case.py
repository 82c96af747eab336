"""``turris_hostile_answer``: one hostile answer with all its variants, given to the client."""

import datetime as dt
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_turris.clients.lab import Lab, RunawayError, Subject
from pytest_turris.clients.leaks import Traces
from pytest_turris.clients.observation import story
from pytest_turris.clients.outcome import Outcome
from pytest_turris.clients.steps import Call, Flow, adrive, drive
from pytest_turris.clients.verdict import (
    BrokenError,
    NotObservedError,
    RuleBrokenError,
    RuleWarning,
    UnobservedError,
    Verdict,
)
from pytest_turris.core.hostile.answer import Variant
from pytest_turris.core.hostile.catalogue import CATALOGUE, find
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel import TimeTravel
from pytest_turris.timing.sleeps import SleptTooLongError

BUDGET = dt.timedelta(minutes=10)
"""How much a client may sleep for one call in total."""

_PAUSE = dt.timedelta(minutes=2)
_FORGED = re.compile(r"[\r\n]2025-01-01 INFO forged|\x1b\[31m")


class HostileCase:
    """One hostile answer; ``run`` fails the test if the client cannot cope with it."""

    def __init__(self, answer_id: str, sandbox: Sandbox, time: TimeTravel) -> None:
        """Raises ValueError: there is no such answer."""
        self.id = answer_id
        self._answer, self._variants = find(answer_id)
        self._sandbox = sandbox
        self._time = time

    def run(self, call: Call) -> Verdict:
        """Give the answer to a sync client, whose ``call`` makes one GET.

        Raises:
            RuleBrokenError: The client does not cope; the message names the variant.
            NotObservedError: The answer never reached it; skips the test.
            CaseError: The call fails although nothing was provoked.
        """
        return self._tell(self.examine(Subject(call=call)))

    async def arun(self, call: Call) -> Verdict:
        """The same for an async client, on asyncio or trio."""
        return self._tell(await self.aexamine(Subject(call=call)))

    def examine(self, subject: Subject) -> Verdict:
        """How a sync client copes; raises for misuse only."""
        lab = Lab(self._sandbox, self._time, subject)
        with self._judging(lab) as verdicts, lab.open():
            drive(self._probe(lab), self._sandbox.clock.now)
        return verdicts[0]

    async def aexamine(self, subject: Subject) -> Verdict:
        """How an async client copes; raises for misuse only."""
        lab = Lab(self._sandbox, self._time, subject)
        with self._judging(lab) as verdicts, lab.open():
            await adrive(self._probe(lab), self._sandbox.clock.now)
        return verdicts[0]

    def __repr__(self) -> str:
        return f"<HostileCase {self.id}: {self._answer.title}>"

    def _probe(self, lab: Lab) -> Flow[None]:
        yield from lab.warm()
        for variant in self._variants:
            yield from self._try(lab, variant)

    def _try(self, lab: Lab, variant: Variant) -> Flow[None]:
        lab.time.limit_sleeps(None)
        lab.time.advance(_PAUSE)
        if variant.where == "token" and variant.cached:
            lab.time.to_refresh_point(plus=dt.timedelta(seconds=30))
        elif variant.where == "token":
            lab.time.to_expiry()
        if variant.delay and not lab.sightings[0].in_process:
            return
        mark = len(lab.sightings)
        lab.time.limit_sleeps(BUDGET)
        fault = self._sandbox.faults.hostile(f"{self.id}/{variant.name}", optional=True)
        with lab.traces() as traces:
            (outcome,) = yield from lab.calls()
        self._sandbox.faults.remove(fault)
        self._judge(lab, variant, outcome, mark, traces)
        lab.time.limit_sleeps(None)
        lab.time.advance(_PAUSE)
        (healed,) = yield from lab.calls()
        where = f"{self.id}/{variant.name}"
        lab.require(
            healed.error is None, f"{where}: later, with honest answers, the call failed: {healed}"
        )
        cookies = [s for s in lab.since(mark) if s.request.header("cookie")]
        lab.require(not cookies, f"{where}: a cookie was sent back")

    def _judge(
        self, lab: Lab, variant: Variant, outcome: Outcome, mark: int, traces: Traces
    ) -> None:
        where, seen = f"{self.id}/{variant.name}", lab.since(mark)
        token = variant.where == "token"
        tries = [s for s in seen if (s.is_token_request if token else s.is_api)]
        if isinstance(outcome.error, SleptTooLongError):
            raise BrokenError(f"{where}: the client would not come back: {outcome.error}")
        lab.require(not isinstance(outcome.error, RunawayError), f"{where}: {outcome.error}")
        lab.require(not outcome.crashed, f"{where}: a crash and no error of its own: {outcome}")
        most = variant.most
        lab.require(len(tries) <= most, f"{where}: {len(tries)} tries of one call; {most} at most")
        if variant.expects == "succeeds":
            lab.require(outcome.error is None, f"{where}: the call failed: {outcome}")
        if variant.expects == "refuses":
            lab.require(outcome.error is not None, f"{where}: the call gave a result all the same")
        if variant.waits and len(tries) > 1:
            waited = (tries[1].at - tries[0].at).total_seconds()
            told = f"{where}: it was told to wait {variant.waits:g} s and waited {waited:g} s"
            lab.require(waited >= variant.waits, told)
        abroad = [s for s in seen if s.foreign and s.holds(lab.needles())]
        lab.require(not abroad, f"{where}: a credential went to another origin")
        waited_out = variant.delay and len(tries) == 1 and outcome.error is None
        lab.require(not waited_out, f"{where}: the client waited {variant.delay} for one answer")
        leak = lab.shown([outcome]) or traces.leak(lab.needles())
        lab.require(not leak, f"{where}: a secret or a token shows in {leak}")
        forged = any(_FORGED.search(text) for text in traces.messages)
        lab.require(not forged, f"{where}: control characters of the answer reached the log")

    @contextmanager
    def _judging(self, lab: Lab) -> Iterator[list[Verdict]]:
        verdicts: list[Verdict] = []
        mark = self._sandbox.journal.seen
        try:
            yield verdicts
            verdicts.append(Verdict(self.id, "passed", self._answer.title))
        except BrokenError as broken:
            verdicts.append(Verdict(self.id, "broken", self._failure(str(broken), lab)))
        except UnobservedError as why:
            verdicts.append(Verdict(self.id, "not observed", f"{self.id} is not observed: {why}"))
        finally:
            self._time.limit_sleeps(None)
            self._sandbox.forgive_since(mark)

    def _failure(self, words: str, lab: Lab) -> str:
        answer = self._answer
        slept = "".join(f"\n    {sleep}" for sleep in self._time.sleeps[:8])
        return (
            f"{answer.id} {answer.title}: not coped with\n  {words}\n"
            f"  expected: {answer.expects}\n  what the sandbox saw:\n{story(lab.sightings)}\n"
            + (f"  sleeps:{slept}\n" if slept else "")
            + f"  source: {answer.source}"
        )

    def _tell(self, verdict: Verdict) -> Verdict:
        if verdict.status == "not observed":
            raise NotObservedError(verdict.text)
        if verdict.status == "broken" and self._answer.level == "must":
            raise RuleBrokenError(verdict.text)
        if verdict.status == "broken":
            warnings.warn(verdict.text, RuleWarning, stacklevel=3)
        return verdict


IDS = tuple(sorted(CATALOGUE))
"""All answers that can be given, in the order of the catalogue."""
