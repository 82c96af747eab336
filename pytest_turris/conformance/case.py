"""What token cases and hostile answers have in common: a verdict, how it is told, exceptions."""

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from pytest_turris.conformance.errors import (
    BrokenError,
    NotObservedError,
    RuleBrokenError,
    RuleWarning,
    UnobservedError,
    Verdict,
)
from pytest_turris.conformance.harness import Lab
from pytest_turris.conformance.recorder import RunawayError
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.levels import Level
from pytest_turris.core.option_values import OptionError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel.travel import TimeTravel

Story = Callable[[str], str]


class Exam:
    """One rule or answer, put to the client under test."""

    fixture: ClassVar[str]
    known: ClassVar[Collection[str]]
    """All ids of the kind."""

    def __init__(self, case_id: str, level: Level, sandbox: Sandbox, time: TimeTravel) -> None:
        self.id: str = case_id
        """Such as ``TC-05`` or ``AR-27``."""
        self._level = level
        self._sandbox = sandbox
        self._time = time
        self._reasons: dict[str, str] = {}

    def ignore(self, case_id: str, *, reason: str) -> None:
        """Leave one out, and say why; it is shown as skipped with the reason.

        The marker does the same: ``@pytest.mark.turris(ignore={"TC-40": "the reason"})``.

        Raises:
            ValueError: There is no such id, or no reason.
        """
        if case_id not in self.known:
            raise UnknownNameError(f"ignore({case_id!r}): there is no such id")
        if not reason.strip():
            raise OptionError(f"ignore({case_id!r}) needs a reason that a reviewer can judge")
        self._reasons[case_id] = reason

    def ignore_marked(self, reasons: Mapping[str, str]) -> None:
        """Leave out what a marker names, as far as it is of this kind.

        Raises:
            ValueError: There is no such id.
        """
        kind = self.id[:3]
        for case_id, reason in reasons.items():
            if case_id.startswith(kind):
                self.ignore(case_id, reason=reason)

    def _ignored(self) -> Verdict | None:
        if reason := self._reasons.get(self.id.partition("/")[0]):
            return Verdict(self.id, "ignored", f"{self.id} is ignored: {reason}")
        return None

    @contextmanager
    def _judging(self, lab: Lab, story: Story) -> Iterator[list[Verdict]]:
        """Turn what is raised into a verdict; what was provoked is no mistake of the test."""
        verdicts: list[Verdict] = []
        mark = self._sandbox.journal.seen
        try:
            with lab.open():
                yield verdicts
        except BrokenError as broken:
            verdicts.append(Verdict(self.id, "broken", story(str(broken))))
        except UnobservedError as why:
            verdicts.append(Verdict(self.id, "not observed", f"{self.id} is not observed: {why}"))
        except RunawayError as runaway:
            words = f"the client sent {runaway} and would not stop"
            verdicts.append(Verdict(self.id, "broken", story(words)))
        finally:
            self._time.limit_sleeps(None)
            self._sandbox.faults.hang_up()
            self._sandbox.expect_since(mark)

    def _tell(self, verdict: Verdict) -> Verdict:
        __tracebackhide__ = True
        if verdict.status in ("not observed", "ignored"):
            raise NotObservedError(verdict.text)
        if verdict.status == "broken" and self._level == "must":
            raise RuleBrokenError(verdict.text)
        if verdict.status == "broken":
            warnings.warn(f"{verdict.text}\n  level: {self._level}", RuleWarning, stacklevel=3)
        return verdict

    def _excuse(self) -> str:
        return f'  not for you? {self.fixture}.ignore("{self.id[:5]}", reason="...")'
