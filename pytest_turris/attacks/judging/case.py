"""What was found about one receiver while one attack ran."""

from collections.abc import Collection
from dataclasses import dataclass, field

from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.description import Oracle, described_delivery
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.step import AttackStep
from pytest_turris.core.levels import Level
from pytest_turris.findings.verdict import Finding, Verdict


@dataclass(kw_only=True, slots=True)
class Case:
    """The findings and notes on one attack.

    Args:
        attack: The attack.
        receiver: The receiver under attack.
        key: The signing key, which no text shows.
        findings: What went wrong.
        notes: What else is worth knowing.
        unseen: Why nothing can be said, if nothing was found.
    """

    attack: Attack
    receiver: Receiver
    key: str
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unseen: str = ""

    def find(
        self,
        oracle: Oracle,
        step: AttackStep | None,
        got: str,
        expected: str,
        level: Level | None = None,
        *,
        why: str = "",
        fix: str = "",
    ) -> None:
        """Write a finding down, with the words of its step.

        Args:
            oracle: How it was noticed.
            step: What was sent; None if it is about the whole attack.
            got: What the receiver did.
            expected: What it should have done.
            level: How serious it is; unless given, what the step or else the attack says.
            why: What goes wrong; unless given, what the step or else the attack says.
            fix: How to mend it; unless given, what the step or else the attack says.
        """
        sent = ""
        if step is not None:
            path = self.receiver.shown_path(step)
            method = step.transmission.method
            sent = described_delivery(step.webhook, method, path, step.label, self.key)
            level, why, fix = level or step.level, why or step.why, fix or step.fix
        self.findings.append(
            Finding(
                kind=oracle,
                level=level or self.attack.level,
                sent=sent,
                got=got,
                expected=expected,
                why=why,
                fix=fix,
            )
        )

    def crash_level(self, step: AttackStep) -> Level:
        """The level of an answer 5xx, or of none: ``must``, unless it is the server's doing."""
        return step.crash_level or ("info" if self.attack.about == "server" else "must")

    @property
    def slow(self) -> set[str]:
        """What was sent, of each finding about time."""
        return {_variant(finding) for finding in self.findings if finding.kind == "time"}

    def drop_slow(self, confirmed: Collection[str]) -> None:
        """Drop the findings about time that another try did not confirm."""
        self.findings = [
            finding
            for finding in self.findings
            if finding.kind != "time" or _variant(finding) in confirmed
        ]

    def verdict(self) -> Verdict:
        """The verdict on what was found so far."""
        if self.unseen and not self.findings:
            return Verdict(check=self.attack, outcome="not observed", reason=self.unseen)
        notes = [*self.notes, self.unseen] if self.unseen else self.notes
        return Verdict.of(self.attack, self.findings, notes=notes, observed=self.receiver.observed)


def _variant(finding: Finding) -> str:
    """The label of the step; what follows differs in each try."""
    return finding.sent.partition(": ")[0] if ": POST" in finding.sent else ""
