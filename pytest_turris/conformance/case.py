"""Examines a client: the common part of token cases and hostile answers."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from pytest_turris.conformance.client_under_test import ClientUnderTest
from pytest_turris.conformance.driver import ProbeSteps, adrive, drive
from pytest_turris.conformance.errors import ViolationError
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.observation.recorded_request import timeline
from pytest_turris.conformance.observation.recorder import RunawayError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.check import Check
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.findings.report import CheckRun
from pytest_turris.findings.verdict import Finding, Verdict
from pytest_turris.time_travel.travel import TimeTravel

_SLEEPS = 8
_OTHERS = {"TC-": ("AR-", "WH-"), "AR-": ("TC-", "WH-")}
"""The prefixes of other kinds of ids, which a marker may name too."""


class ConformanceCase(CheckRun, ABC):
    """One check of a client.

    Args:
        check: The rule or the hostile answer.
        known: The ids of all checks of its kind.
        sandbox: The client's Turris.
        time: The clock of the sandbox and of the client.
        expected: What a good client does.
        hint: A note for a client that does otherwise.
    """

    def __init__(
        self,
        check: Check,
        known: Collection[str],
        sandbox: Sandbox,
        time: TimeTravel,
        *,
        expected: str,
        hint: str = "",
    ) -> None:
        super().__init__(check, known, _OTHERS[check.id[:3]])
        self.id: str = check.id
        """Such as ``TC-05`` or ``AR-27``."""
        self._sandbox = sandbox
        self._time = time
        self._expected = expected
        self._hint = hint

    def examine(self, client: ClientUnderTest) -> Verdict:
        """The verdict on a sync client, instead of a failed or skipped test.

        Raises:
            CaseError: The case could not be run.
        """
        if ignored := self._if_ignored():
            return ignored
        harness = ClientHarness(self._sandbox, self._time, client)
        with self._judging(harness) as verdicts:
            notes = drive(self._steps(harness), self._time)
            verdicts.append(self._verdict(harness, notes=notes))
        return verdicts[0]

    async def aexamine(self, client: ClientUnderTest) -> Verdict:
        """The verdict on an async client, on asyncio or trio.

        Raises:
            CaseError: The case could not be run.
        """
        if ignored := self._if_ignored():
            return ignored
        harness = ClientHarness(self._sandbox, self._time, client)
        harness.is_async = True
        with self._judging(harness) as verdicts:
            notes = await adrive(self._steps(harness), self._time)
            verdicts.append(self._verdict(harness, notes=notes))
        return verdicts[0]

    @abstractmethod
    def _steps(self, harness: ClientHarness) -> ProbeSteps[tuple[str, ...]]:
        """Put the check to the client; returns notes for the verdict."""

    @contextmanager
    def _judging(self, harness: ClientHarness) -> Iterator[list[Verdict]]:
        """Turn what the steps raise into a verdict; expect the refusals that they provoked."""
        verdicts: list[Verdict] = []
        mark = self._sandbox.journal.seen
        try:
            with harness.open():
                yield verdicts
        except ViolationError as violation:
            verdicts.append(self._verdict(harness, violation))
        except RunawayError as runaway:
            got = f"the client sent {runaway} and would not stop"
            verdicts.append(self._verdict(harness, ViolationError(got)))
        except NotApplicableError as why:
            if any(found.level != "info" for found in harness.lesser):
                verdicts.append(self._verdict(harness, notes=[str(why)]))
            else:
                verdicts.append(Verdict(check=self._check, outcome="not observed", reason=str(why)))
        finally:
            self._time.limit_sleeps(None)
            self._sandbox.faults.hang_up()
            self._sandbox.expect_since(mark)

    def _verdict(
        self, harness: ClientHarness, *violations: ViolationError, notes: Iterable[str] = ()
    ) -> Verdict:
        found = [
            Finding(
                level=violation.level or self._check.level,
                sent=timeline(harness.requests),
                got=str(violation),
                expected=violation.expected or self._expected,
                fix=self._fix_of(violation),
                kind=violation.kind,
            )
            for violation in (*violations, *harness.lesser)
        ]
        texts = [*notes]
        if found:
            texts += [self._hint] if self._hint else []
            slept = self._time.sleeps[:_SLEEPS]
            texts += ["\n".join(["the client slept:", *map(str, slept)])] if slept else []
        return Verdict.of(self._check, found, notes=texts)

    def _fix_of(self, violation: ViolationError) -> str:
        if not violation.besides:
            return violation.fix
        return f"{violation.fix or self._check.fix} {violation.besides}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: {self._check.title}>"
