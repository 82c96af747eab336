"""The evidence of one test as data: which checks could have failed, and what they found."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from pytest_turris.audit.places import Place
from pytest_turris.core.levels import Level
from pytest_turris.findings.verdict import Finding, Verdict

_MADE = frozenset({"passed", "failed", "warned", "noted"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Spotted:
    """A finding with where it was made. All texts are redacted.

    Args:
        check: The id of the check.
        finding: What was wrong.
        place: The line of the application that made the call, else of the test; of a served sandbox
            the operation.
        test: The test that showed it; empty if none did.
        exchanges: The requests that are the evidence, a line for each, oldest first.
        numbers: Their numbers in the journal of the sandbox.
    """

    check: str
    finding: Finding
    place: Place
    test: str = ""
    exchanges: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()

    @property
    def level(self) -> Level:
        """How serious it is."""
        return self.finding.level

    @property
    def where(self) -> str:
        """Where it was made, as people are shown it: a line of code, else what is known."""
        place = self.place
        if place.line:
            return f"{place.path}:{place.line}"
        return place.symbol or self.test or "the run as a whole"

    @property
    def fingerprint(self) -> str:
        """The same for the same mistake in every run: no line, no time, no test is part of it."""
        place = self.place
        parts = (self.check, place.path, place.symbol, self.finding.kind)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]

    def as_json(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "check": self.check,
            "finding": asdict(self.finding),
            "place": asdict(self.place),
            "test": self.test,
            "exchanges": list(self.exchanges),
            "numbers": list(self.numbers),
        }

    @classmethod
    def of_json(cls, row: dict[str, Any]) -> Self:
        """The same from JSON data."""
        return cls(
            check=row["check"],
            finding=Finding(**row["finding"]),
            place=Place(**row["place"]),
            test=row["test"],
            exchanges=tuple(row["exchanges"]),
            numbers=tuple(row["numbers"]),
        )


@dataclass(kw_only=True)
class Evidence:
    """What one test showed.

    Args:
        test: The test's id.
        ran: For each check that could have failed: how often it could.
        spotted: What was wrong.
        ignored: The checks that the test left out, with its reasons.
        granted: The permissions of the credentials that were used.
        used: The permissions that the calls needed.
    """

    test: str
    ran: dict[str, int] = field(default_factory=dict)
    spotted: list[Spotted] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)
    granted: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def note(self, check: str, times: int, spotted: Iterable[Spotted] = ()) -> None:
        """Add what a check showed; nothing if it could not have failed."""
        found = list(spotted)
        self.spotted += found
        if times or found:
            self.ran[check] = self.ran.get(check, 0) + max(times, len(found))

    def note_verdict(self, verdict: Verdict, place: Place) -> None:
        """Add what an attack, a rule for token clients or a hostile answer showed.

        Args:
            verdict: The verdict; one that is "not observed" or "skipped" shows nothing.
            place: The line of the test.
        """
        check = verdict.check
        if verdict.outcome == "ignored":
            self.ignored[check.id] = verdict.reason
        if verdict.outcome not in _MADE:
            return
        spotted = [
            Spotted(
                check=check.id,
                finding=replace(
                    finding, why=finding.why or check.why, fix=finding.fix or check.fix
                ),
                place=place,
                test=self.test,
            )
            for finding in verdict.findings
        ]
        self.note(check.id, 1, spotted)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was observed."""
        return not (self.ran or self.spotted or self.ignored)

    def as_json(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "test": self.test,
            "ran": dict(self.ran),
            "spotted": [one.as_json() for one in self.spotted],
            "ignored": dict(self.ignored),
            "granted": sorted(self.granted),
            "used": sorted(self.used),
        }

    @classmethod
    def of_json(cls, row: dict[str, Any]) -> Self:
        """The same from JSON data."""
        return cls(
            test=row["test"],
            ran=dict(row["ran"]),
            spotted=[Spotted.of_json(one) for one in row["spotted"]],
            ignored=dict(row["ignored"]),
            granted=set(row["granted"]),
            used=set(row["used"]),
        )
