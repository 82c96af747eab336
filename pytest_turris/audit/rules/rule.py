"""How a passive rule is written: a function over what the sandbox of one test saw."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from pytest_turris.audit.check import AuditCheck
from pytest_turris.audit.evidence import Spotted
from pytest_turris.audit.seen import SandboxRecord, SeenRequest
from pytest_turris.audit.spellings import SecretForms, secrets_of
from pytest_turris.core.levels import Level
from pytest_turris.findings.verdict import Finding


@dataclass
class Look:
    """The record of one test for a rule, and its findings.

    ``ran`` counts the cases in which the rule could have found something: without such a case
    it proves nothing.
    """

    check: AuditCheck
    record: SandboxRecord
    test: str
    ran: int = 0
    spotted: list[Spotted] = field(default_factory=list)

    @cached_property
    def forms(self) -> SecretForms:
        """All spellings of the sandbox's secrets: to make them for each request takes long."""
        return SecretForms(secrets_of(self.record.sandbox))

    def spot(
        self,
        seen: Iterable[SeenRequest],
        got: str,
        expected: str,
        *,
        kind: str = "",
        level: Level | None = None,
    ) -> None:
        """Note a violation; the last of the requests is the one that should not have been.

        Args:
            seen: The requests that show it, oldest first.
            got: What the application did.
            expected: What it should have done.
            kind: Which of several ways to break the rule.
            level: The finding's level, if not the rule's.
        """
        requests = list(seen)
        last = requests[-1]
        lines = self.record.lines(requests)
        finding = Finding(
            level=level or self.check.level,
            sent=lines[-1].partition("  ")[2],
            got=got,
            expected=expected,
            kind=kind,
            fix=self.check.fix,
            why=self.check.why,
        )
        self.spotted.append(
            Spotted(
                check=self.check.id,
                finding=finding,
                place=self.record.place(last),
                test=self.test,
                exchanges=lines,
                numbers=tuple(one.in_journal for one in requests),
            )
        )


_Watch = Callable[[Look], None]


@dataclass(frozen=True)
class PassiveRule:
    """A check with the function that looks for violations."""

    check: AuditCheck
    watch: _Watch


class RuleList:
    """The passive rules of one file, in the order in which they are written down."""

    def __init__(self) -> None:
        self._rules: list[PassiveRule] = []

    def __iter__(self) -> Iterator[PassiveRule]:
        return iter(self._rules)

    def rule(
        self,
        id_: str,
        title: str,
        *,
        does: str,
        why: str,
        fix: str,
        source: str,
        level: Level = "must",
    ) -> Callable[[_Watch], _Watch]:
        """Add a rule with the decorated function."""
        check = AuditCheck(
            id=id_, title=title, level=level, does=does, why=why, fix=fix, source=source
        )

        def add(watch: _Watch) -> _Watch:
            self._rules.append(PassiveRule(check, watch))
            return watch

        return add
