"""``turris_hostile_answer``: one hostile answer with all its variants, given to the client."""

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import ClassVar

from pytest_turris.clients.exam import Exam
from pytest_turris.clients.hostile_trial import trial
from pytest_turris.clients.lab import Lab, Subject
from pytest_turris.clients.observation import story
from pytest_turris.clients.steps import Call, adrive, drive
from pytest_turris.clients.verdict import Verdict
from pytest_turris.core.hostile.catalogue import CATALOGUE, find
from pytest_turris.core.hostile.raw import PATIENCE
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel import TimeTravel


class HostileCase(Exam):
    """One hostile answer; ``run`` fails the test if the client cannot cope with it."""

    fixture: ClassVar[str] = "turris_hostile_answer"
    known: ClassVar[Collection[str]] = CATALOGUE

    def __init__(self, answer_id: str, sandbox: Sandbox, time: TimeTravel) -> None:
        """``AR-33`` or one variant of it, ``AR-33/half-open``.

        Raises:
            ValueError: There is no such answer or variant.
        """
        answer, variants = find(answer_id)
        super().__init__(answer_id, answer.level, sandbox, time)
        self._answer = replace(answer, variants=variants)

    def run(
        self,
        call: Call,
        *,
        new_client: Callable[[], object] | None = None,
        write: Call | None = None,
        record: Call | None = None,
        patience: float = PATIENCE,
    ) -> Verdict:
        """Give the answer, in all its variants, to a sync client.

        Args:
            call: Makes one GET with the client under test.
            new_client: Makes a client anew from the environment and gives its call (AR-36).
            write: Makes one POST, a new operation each time (AR-20).
            record: Makes one GET of one record by its id (AR-34).
            patience: For how many real seconds an answer without an end goes on, over a socket.

        Raises:
            RuleBrokenError: The client does not cope; the message names the variant.
            NotObservedError: The answer could not be given, or is ignored; skips the test.
            CaseError: The call fails although nothing was provoked.
        """
        __tracebackhide__ = True
        subject = Subject(call=call, new_client=new_client, write=write, record=record)
        return self._tell(self.examine(subject, patience=patience))

    async def arun(
        self,
        call: Call,
        *,
        new_client: Callable[[], object] | None = None,
        write: Call | None = None,
        record: Call | None = None,
        patience: float = PATIENCE,
    ) -> Verdict:
        """The same for an async client, on asyncio or trio."""
        __tracebackhide__ = True
        subject = Subject(call=call, new_client=new_client, write=write, record=record)
        return self._tell(await self.aexamine(subject, patience=patience))

    def examine(self, subject: Subject, *, patience: float = PATIENCE) -> Verdict:
        """How a sync client copes; raises for misuse only."""
        if ignored := self._ignored():
            return ignored
        lab = Lab(self._sandbox, self._time, subject)
        with self._judging(lab, partial(self._failure, lab)) as verdicts:
            left_out = drive(trial(lab, self._answer, patience), self._sandbox.clock.now)
            verdicts.append(self._passed(left_out))
        return verdicts[0]

    async def aexamine(self, subject: Subject, *, patience: float = PATIENCE) -> Verdict:
        """How an async client copes; raises for misuse only."""
        if ignored := self._ignored():
            return ignored
        lab = Lab(self._sandbox, self._time, subject)
        with self._judging(lab, partial(self._failure, lab)) as verdicts:
            left_out = await adrive(trial(lab, self._answer, patience), self._sandbox.clock.now)
            verdicts.append(self._passed(left_out))
        return verdicts[0]

    def __repr__(self) -> str:
        return f"<HostileCase {self.id}: {self._answer.title}>"

    def _passed(self, left_out: str) -> Verdict:
        words = f"; not given: {left_out}" if left_out else ""
        return Verdict(self.id, "passed", f"{self._answer.title}{words}")

    def _failure(self, lab: Lab, words: str) -> str:
        answer = self._answer
        slept = "".join(f"\n    {sleep}" for sleep in self._time.sleeps[:8])
        return (
            f"{answer.id} {answer.title}: not coped with\n  {words}\n"
            f"  expected: {answer.expects}\n  what the sandbox saw:\n{story(lab.sightings)}\n"
            + (f"  sleeps:{slept}\n" if slept else "")
            + f"  source: {answer.source}\n{self._excuse()}"
        )
