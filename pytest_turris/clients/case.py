"""``turris_token_case``: one rule, put to the client under test."""

import contextlib
import warnings
from collections.abc import Callable, Iterator

from pytest_turris.clients.lab import Lab, RunawayError, Subject
from pytest_turris.clients.observation import story
from pytest_turris.clients.probes import PROBES
from pytest_turris.clients.rules import NOT_PROBED, RULES, Rule
from pytest_turris.clients.steps import Call, adrive, drive
from pytest_turris.clients.verdict import (
    BrokenError,
    NotObservedError,
    RuleBrokenError,
    RuleWarning,
    UnobservedError,
    Verdict,
)
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel import TimeTravel


class TokenCase:
    """One rule for token clients; ``run`` fails the test if the client breaks it."""

    def __init__(self, rule_id: str, sandbox: Sandbox, time: TimeTravel) -> None:
        """Raises ValueError: there is no such rule."""
        if rule_id not in RULES:
            raise ValueError(f"there is no rule {rule_id!r}; there are TC-01 to TC-{len(RULES)}")
        self.rule: Rule = RULES[rule_id]
        self._sandbox = sandbox
        self._time = time
        self._reasons: dict[str, str] = {}

    @property
    def id(self) -> str:
        """Such as ``TC-05``."""
        return self.rule.id

    def ignore(self, rule_id: str, *, reason: str) -> None:
        """Leave a rule out, and say why; it is shown as skipped with the reason.

        Raises:
            ValueError: There is no such rule, or no reason.
        """
        if rule_id not in RULES:
            raise ValueError(f"there is no rule {rule_id!r}")
        if not reason.strip():
            raise ValueError(f"ignore({rule_id!r}) needs a reason that a reviewer can judge")
        self._reasons[rule_id] = reason

    def run(
        self,
        call: Call,
        *,
        new_client: Callable[[], object] | None = None,
        write: Call | None = None,
        concurrency: int = 50,
    ) -> Verdict:
        """Put the rule to a sync client.

        Args:
            call: Makes one GET with the client under test, which has sent nothing before.
            new_client: Makes a client anew from the environment, as in a fresh process, and
                gives its call.
            write: Makes one POST, a new operation each time.
            concurrency: How many threads call at once where the rule is about that.

        Raises:
            RuleBrokenError: The client breaks a rule of level ``must``.
            NotObservedError: There was nothing to see, or the rule is ignored; skips the test.
            CaseError: The case could not be run.
        """
        subject = Subject(call=call, new_client=new_client, write=write, concurrency=concurrency)
        return self._tell(self.examine(subject))

    async def arun(
        self,
        call: Call,
        *,
        new_client: Callable[[], object] | None = None,
        write: Call | None = None,
        concurrency: int = 50,
    ) -> Verdict:
        """The same for an async client, on asyncio or trio; ``concurrency`` counts tasks."""
        subject = Subject(call=call, new_client=new_client, write=write, concurrency=concurrency)
        return self._tell(await self.aexamine(subject))

    def examine(self, subject: Subject) -> Verdict:
        """How a sync client stands to the rule; raises for misuse only."""
        lab = Lab(self._sandbox, self._time, subject)
        if early := self._without_probe():
            return early
        with self._judging(lab) as verdicts, lab.open():
            drive(PROBES[self.id](lab), self._sandbox.clock.now)
        return verdicts[0]

    async def aexamine(self, subject: Subject) -> Verdict:
        """How an async client stands to the rule; raises for misuse only."""
        lab = Lab(self._sandbox, self._time, subject)
        if early := self._without_probe():
            return early
        with self._judging(lab) as verdicts, lab.open():
            await adrive(PROBES[self.id](lab), self._sandbox.clock.now)
        return verdicts[0]

    def __repr__(self) -> str:
        return f"<TokenCase {self.id}: {self.rule.title}>"

    def _without_probe(self) -> Verdict | None:
        if reason := self._reasons.get(self.id):
            return Verdict(self.id, "ignored", f"{self.id} is ignored: {reason}")
        if why := NOT_PROBED.get(self.id):
            return Verdict(self.id, "not observed", f"{self.id} is not observed: it {why}")
        return None

    @contextlib.contextmanager
    def _judging(self, lab: Lab) -> Iterator[list[Verdict]]:
        verdicts: list[Verdict] = []
        mark = self._sandbox.journal.seen
        try:
            yield verdicts
            verdicts.append(Verdict(self.id, "passed", self.rule.title))
        except BrokenError as broken:
            verdicts.append(Verdict(self.id, "broken", self._failure(str(broken), lab)))
        except UnobservedError as why:
            verdicts.append(Verdict(self.id, "not observed", f"{self.id} is not observed: {why}"))
        except RunawayError as runaway:
            words = f"the client sent {runaway} and would not stop"
            verdicts.append(Verdict(self.id, "broken", self._failure(words, lab)))
        finally:
            # What the case provoked is its own, not a mistake of the test.
            self._sandbox.forgive_since(mark)

    def _failure(self, words: str, lab: Lab) -> str:
        rule = self.rule
        return (
            f"{rule.id} {rule.title}: broken\n  {words}\n"
            f"  what the sandbox saw:\n{story(lab.sightings)}\n"
            f"  usual bug: {rule.usual_bug}\n  source: {rule.source}\n"
            f'  not for you? turris_token_case.ignore("{rule.id}", reason="...")'
        )

    def _tell(self, verdict: Verdict) -> Verdict:
        if verdict.status in ("not observed", "ignored"):
            raise NotObservedError(verdict.text)
        if verdict.status == "broken" and self.rule.level == "must":
            raise RuleBrokenError(verdict.text)
        if verdict.status == "broken":
            warnings.warn(f"{verdict.text}\n  level: {self.rule.level}", RuleWarning, stacklevel=3)
        return verdict
