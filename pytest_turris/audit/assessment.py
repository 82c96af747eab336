"""Turns evidence into the checklist: what is proven, violated, not observed or attested."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from pytest_turris.audit.checklist import CHECKLIST, ChecklistLine
from pytest_turris.audit.declarations import Allowed, Attestation, Declarations, Waiver
from pytest_turris.audit.evidence import Evidence, Spotted
from pytest_turris.audit.places import Place
from pytest_turris.core.levels import Level
from pytest_turris.findings.verdict import Finding

Status = Literal["violated", "waived", "proven", "no violation", "attested", "not observed"]
"""What is known about a line.

- ``violated``: a check found a violation of level ``must`` or ``should``.
- ``waived``: each violation is accepted for a time.
- ``proven``: checks that could have failed ran and held.
- ``no violation``: the same for a line that no test can prove.
- ``attested``: a person says so.
- ``not observed``: nothing is known. It never counts as proven.
"""

_RANK: dict[Level, int] = {"must": 0, "should": 1, "info": 2}
_PRIVILEGES = "RQ-16"


@dataclass(kw_only=True, slots=True)
class AssessedMistake:
    """One mistake, with all tests that showed it.

    Args:
        spotted: The finding, as the first of its tests in the order of their ids showed it.
        tests: The ids of these tests.
        waiver: What accepts it, if anything does.
    """

    spotted: Spotted
    tests: tuple[str, ...]
    waiver: Waiver | None = None

    @property
    def counts(self) -> bool:
        """Whether it breaks a line: it is not waived, and more than information."""
        return self.waiver is None and self.spotted.level != "info"


@dataclass(kw_only=True, slots=True)
class LineState:
    """What is known about one line of the checklist."""

    line: ChecklistLine
    status: Status
    held: dict[str, int] = field(default_factory=dict)
    """The checks that ran and held, with how often they could have failed."""
    results: list[AssessedMistake] = field(default_factory=list)
    never: tuple[str, ...] = ()
    """The checks that could say something about it, and had no chance to."""
    attestation: Attestation | None = None
    note: str = ""


@dataclass(kw_only=True, slots=True)
class RunFacts:
    """Further facts about the run."""

    tests: int = 0
    """How many tests ran."""
    with_sandbox: int = 0
    """How many of them used a sandbox, or gave evidence."""
    requests: int | None = None
    """Outside a test run: how many requests the sandbox answered."""
    problems: list[str] = field(default_factory=list)
    """What is missing in the evidence, in sentences: a crashed worker, an early stop."""
    allowed: dict[Allowed, int] = field(default_factory=dict)
    """What a scan may find, with how often it did."""
    channels: dict[str, str] = field(default_factory=dict)
    """The channels of the leak watch: empty if it saw the canary there, else why it did not."""


@dataclass(kw_only=True, slots=True)
class Assessment:
    """The whole audit, ready to be reported."""

    lines: list[LineState]
    results: list[AssessedMistake]
    ran: dict[str, int]
    ignored: dict[str, str]
    waivers: list[tuple[Waiver, str]]
    """Each waiver with its state: used, unused or expired."""
    facts: RunFacts
    at: dt.datetime

    def count(self, status: Status) -> int:
        """How many lines have a status."""
        return sum(state.status == status for state in self.lines)

    @property
    def proves_nothing(self) -> bool:
        """Whether no check at all could have failed."""
        return not self.ran

    def failures(self, level: Level = "must") -> list[str]:
        """Why a strict run fails, in sentences; empty if it passes.

        Args:
            level: The lowest level of a finding that fails the run.
        """
        found = [
            f"{one.spotted.check} at {one.spotted.where}: {one.spotted.finding.got}"
            for one in self.results
            if one.waiver is None and _RANK[one.spotted.level] <= _RANK[level]
        ]
        expired = [waiver for waiver, state in self.waivers if state == "expired"]
        return found + [
            f"the waiver of {one.rule} at {one.place} expired on {one.expires}" for one in expired
        ]


class Ledger:
    """Collects the evidence of a run, in any order and from any process."""

    def __init__(self) -> None:
        self._of_tests: dict[str, Evidence] = {}

    def add(self, evidence: Evidence) -> None:
        """Add what a test showed. A test that ran again keeps what it found before."""
        before = self._of_tests.get(evidence.test)
        if before:
            known = {one.fingerprint for one in evidence.spotted}
            evidence.spotted += [one for one in before.spotted if one.fingerprint not in known]
            evidence.ran = {**before.ran, **evidence.ran}
        self._of_tests[evidence.test] = evidence

    def __iter__(self) -> Iterator[Evidence]:
        return iter(sorted(self._of_tests.values(), key=lambda one: one.test))

    def __len__(self) -> int:
        return len(self._of_tests)


def assess(
    ledger: Iterable[Evidence],
    declared: Declarations,
    facts: RunFacts,
    at: dt.datetime,
    *,
    here: str,
) -> Assessment:
    """What a run shows about the checklist.

    Args:
        ledger: The evidence of its tests.
        declared: What people say, and what they accept.
        facts: Further facts about the run.
        at: Now, in UTC.
        here: The file that stands for the run as a whole, relative to the base.
    """
    evidence = list(ledger)
    ran, ignored = _summed(evidence), _ignored(evidence)
    spotted = [one for test in evidence for one in test.spotted]
    spotted += _unused_permissions(evidence, ran, here)
    results = _merged(spotted)
    waivers = _waive(results, declared, at.date())
    assessed = Assessment(
        lines=[], results=results, ran=ran, ignored=ignored, waivers=waivers, facts=facts, at=at
    )
    states = {id_: _state(line, assessed) for id_, line in CHECKLIST.items() if not line.repeats}
    for attestation in declared.attested:
        _attest(states[attestation.line], attestation, at.date())
    for id_, line in CHECKLIST.items():
        assessed.lines.append(states[id_] if id_ in states else _repeated(line, states))
    return assessed


def _state(line: ChecklistLine, assessed: Assessment) -> LineState:
    checks = set(line.checks)
    results = [
        one
        for one in assessed.results
        if one.spotted.check in checks or one.spotted.finding.kind in line.kinds
    ]
    broken = {one.spotted.check for one in results if one.counts or one.waiver}
    sound = {c: assessed.ran[c] for c in line.checks if c in assessed.ran and c not in broken}
    # What has found something to note has broken nothing; it has not held either.
    noted = {one.spotted.check for one in results}
    held = {check: times for check, times in sound.items() if check not in noted}
    never = tuple(check for check in line.checks if check not in assessed.ran)
    state = LineState(
        line=line, status="not observed", held=held, results=results, never=never
    )  # fmt: skip
    if any(one.counts for one in results):
        state.status = "violated"
    elif any(one.waiver for one in results):
        state.status = "waived"
    elif line.proofs and all(any(check in sound for check in group) for group in line.proofs):
        state.status = "proven" if line.kind == "provable" else "no violation"
    return state


def _attest(state: LineState, attestation: Attestation, today: dt.date) -> None:
    """An attestation counts only for a line without other evidence, and until its review."""
    state.attestation = attestation
    if attestation.is_overdue(today):
        state.note = f"The attestation of {attestation.owner} was to be reviewed by "
        state.note += f"{attestation.review_by}, so it does not count."
    elif state.status == "not observed":
        state.status = "attested"


_WORST: tuple[Status, ...] = (
    "violated", "not observed", "waived", "attested", "no violation", "proven"
)  # fmt: skip


def _repeated(line: ChecklistLine, states: dict[str, LineState]) -> LineState:
    own = [states[id_] for id_ in line.repeats]
    status = min((state.status for state in own), key=_WORST.index)
    held = {check: times for state in own for check, times in state.held.items()}
    seen = {id(one): one for state in own for one in state.results}
    note = f"As {' and '.join(line.repeats)}."
    return LineState(line=line, status=status, held=held, results=list(seen.values()), note=note)


def _summed(evidence: list[Evidence]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in evidence:
        for check, times in one.ran.items():
            total[check] = total.get(check, 0) + times
    return dict(sorted(total.items()))


def _ignored(evidence: list[Evidence]) -> dict[str, str]:
    return dict(sorted(pair for one in evidence for pair in one.ignored.items()))


def _unused_permissions(evidence: list[Evidence], ran: dict[str, int], here: str) -> list[Spotted]:
    """Find the permissions of the credentials that no call of the run needed."""
    used = {name for one in evidence for name in one.used}
    granted = {name for one in evidence for name in one.granted}
    if not granted:
        return []
    ran[_PRIVILEGES] = sum(bool(one.granted) for one in evidence)
    unused = ", ".join(sorted(granted - used))
    if not unused:
        return []
    from pytest_turris.audit.checks import OWN  # noqa: PLC0415 - it reads the rules

    check = OWN[_PRIVILEGES]
    finding = Finding(
        level=check.level,
        sent=f"calls that need {', '.join(sorted(used))}",
        got=f"the credentials also allow {unused}, which no call of the run needs",
        expected="credentials with the permissions that are used",
        fix=check.fix,
        why=check.why,
    )
    return [Spotted(check=check.id, finding=finding, place=Place(path=here, line=0))]


def _merged(spotted: list[Spotted]) -> list[AssessedMistake]:
    """Each mistake once, the most serious first."""
    groups: dict[str, list[Spotted]] = {}
    for one in spotted:
        groups.setdefault(one.fingerprint, []).append(one)
    results = []
    for group in groups.values():
        first = min(group, key=lambda one: (_RANK[one.level], one.test, one.place))
        tests = sorted({one.test for one in group if one.test})
        results.append(AssessedMistake(spotted=first, tests=tuple(tests)))
    return sorted(results, key=_order)


def _order(result: AssessedMistake) -> tuple[int, str, Place]:
    spotted = result.spotted
    return _RANK[spotted.level], spotted.check, spotted.place


def _waive(
    results: list[AssessedMistake], declared: Declarations, today: dt.date
) -> list[tuple[Waiver, str]]:
    states = []
    for waiver in declared.waived:
        covered = [one for one in results if waiver.covers(one.spotted)]
        if waiver.is_expired(today):
            states.append((waiver, "expired"))
            continue
        for one in covered:
            one.waiver = waiver
        states.append((waiver, "used" if covered else "unused"))
    return states
