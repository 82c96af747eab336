"""``turris_token_case``: one rule, put to the client under test."""

from collections.abc import Callable, Collection
from functools import partial
from typing import ClassVar

from pytest_turris.clients.exam import Exam
from pytest_turris.clients.lab import Lab, Subject
from pytest_turris.clients.observation import story
from pytest_turris.clients.probes import PROBES
from pytest_turris.clients.rules import RULES, Rule
from pytest_turris.clients.steps import Call, adrive, drive
from pytest_turris.clients.verdict import Verdict
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel import TimeTravel


class TokenCase(Exam):
    """One rule for token clients; ``run`` fails the test if the client breaks it."""

    fixture: ClassVar[str] = "turris_token_case"
    known: ClassVar[Collection[str]] = RULES

    def __init__(self, rule_id: str, sandbox: Sandbox, time: TimeTravel) -> None:
        """Raises ValueError: there is no such rule."""
        if rule_id not in RULES:
            raise ValueError(f"there is no rule {rule_id!r}; there are TC-01 to TC-{len(RULES)}")
        self.rule: Rule = RULES[rule_id]
        super().__init__(rule_id, self.rule.level, sandbox, time)

    def run(
        self,
        call: Call,
        *,
        new_client: Callable[[], object] | None = None,
        write: Call | None = None,
        operation: Callable[[], object] | None = None,
        concurrency: int = 50,
    ) -> Verdict:
        """Put the rule to a sync client.

        Args:
            call: Makes one GET with the client under test, which has sent nothing before.
            new_client: Makes a client anew from the environment, as in a fresh process, and
                gives its call.
            write: Makes one POST, a new operation each time.
            operation: Begins one operation, as opening a form does, and gives the call that
                makes its POST; that is called twice at once, as by a double click.
            concurrency: How many threads call at once where the rule is about that.

        Raises:
            RuleBrokenError: The client breaks a rule of level ``must``.
            NotObservedError: There was nothing to see, or the rule is ignored; skips the test.
            CaseError: The case could not be run.
        """
        __tracebackhide__ = True
        subject = Subject(
            call=call,
            new_client=new_client,
            write=write,
            operation=operation,
            concurrency=concurrency,
        )
        return self._tell(self.examine(subject))

    async def arun(
        self,
        call: Call,
        *,
        new_client: Callable[[], object] | None = None,
        write: Call | None = None,
        operation: Callable[[], object] | None = None,
        concurrency: int = 50,
    ) -> Verdict:
        """The same for an async client, on asyncio or trio; ``concurrency`` counts tasks."""
        __tracebackhide__ = True
        subject = Subject(
            call=call,
            new_client=new_client,
            write=write,
            operation=operation,
            concurrency=concurrency,
        )
        return self._tell(await self.aexamine(subject))

    def examine(self, subject: Subject) -> Verdict:
        """How a sync client stands to the rule; raises for misuse only."""
        if ignored := self._ignored():
            return ignored
        lab = Lab(self._sandbox, self._time, subject)
        with self._judging(lab, partial(self._failure, lab)) as verdicts:
            drive(PROBES[self.id](lab), self._sandbox.clock.now)
            verdicts.append(Verdict(self.id, "passed", self.rule.title))
        return verdicts[0]

    async def aexamine(self, subject: Subject) -> Verdict:
        """How an async client stands to the rule; raises for misuse only."""
        if ignored := self._ignored():
            return ignored
        lab = Lab(self._sandbox, self._time, subject)
        with self._judging(lab, partial(self._failure, lab)) as verdicts:
            await adrive(PROBES[self.id](lab), self._sandbox.clock.now)
            verdicts.append(Verdict(self.id, "passed", self.rule.title))
        return verdicts[0]

    def __repr__(self) -> str:
        return f"<TokenCase {self.id}: {self.rule.title}>"

    def _failure(self, lab: Lab, words: str) -> str:
        rule = self.rule
        return (
            f"{rule.id} {rule.title}: broken\n  {words}\n"
            f"  what the sandbox saw:\n{story(lab.sightings)}\n"
            f"  usual bug: {rule.usual_bug}\n  source: {rule.source}\n{self._excuse()}"
        )
