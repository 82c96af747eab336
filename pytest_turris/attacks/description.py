"""What an attack found out, in words that help: what was sent, what came back, why it matters."""

import base64
import re
from dataclasses import dataclass
from typing import Any, Literal

from pytest_turris.attacks.attack import Attack
from pytest_turris.core.levels import Level
from pytest_turris.receivers.exchange import WebhookResponse
from pytest_turris.webhooks.signature import masked
from pytest_turris.webhooks.signed import SignedWebhook

Outcome = Literal["passed", "not observed", "failed", "warned", "noted", "skipped"]
Oracle = Literal["effects", "status", "time", "no oracle", "no leak", "verify first", "health",
                 "constant time"]  # fmt: skip
"""The seven oracles, and the comparison in constant time."""

_LONG = re.compile(
    r"[0-9a-fA-F]{40,}|[A-Za-z0-9+/_-]{40,}=?"
    r"|(?:[0-9a-fA-F]{2} ){20,}[0-9a-fA-F]{2}"  # WH-14 puts spaces between
)
_SHOWN = 160


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that a receiver did wrong. All texts are redacted."""

    oracle: Oracle
    level: Level
    sent: str
    came: str
    wanted: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What came of one attack.

    Args:
        attack: Which one.
        outcome: ``failed`` for a ``must``, ``warned`` for a ``should``, ``noted`` for an
            ``info``. Without an effects probe nothing is ``passed``: it is ``not observed``.
        findings: What went wrong.
        reason: Why it was skipped.
        notes: What else is worth knowing, such as how the comparison was watched.
    """

    attack: Attack
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        id_ = self.attack.id
        return self.told(f"@pytest.mark.turris(ignore={{{id_!r}: 'why this is fine'}})")

    def told(self, ignore: str) -> str:
        """The whole story in lines; ``ignore`` is how to live with the finding."""
        attack = self.attack
        lines = [f"{attack.label}: {self.outcome}"]
        sent = ""
        for finding in self.findings:
            if finding.sent != sent:
                lines.append(f"  sent:    {finding.sent}")
            lines += [
                f"  came:    {finding.came}",
                f"  wanted:  {finding.wanted} [{finding.oracle}]",
            ]
            sent = finding.sent
        lines += [
            f"  attack:  {attack.does}",
            f"  why:     {attack.why}",
            f"  fix:     {attack.fix}",
        ]
        lines += [f"  note:    {note}" for note in self.notes]
        lines += [f"  more:    {attack.page}", f"  ignore:  {ignore}"]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON data, redacted."""
        return {
            "id": self.attack.id,
            "name": self.attack.name,
            "level": self.attack.level,
            "outcome": self.outcome,
            "reason": self.reason,
            "notes": list(self.notes),
            "findings": [
                {
                    "oracle": finding.oracle,
                    "level": finding.level,
                    "sent": finding.sent,
                    "came": finding.came,
                    "wanted": finding.wanted,
                }
                for finding in self.findings
            ],
        }


def described(webhook: SignedWebhook, method: str, path: str, label: str, key: str) -> str:
    """A delivery in one line, without key and signatures."""
    lines = ", ".join(f"{name}: {value!r}" for name, value in webhook.header_lines)
    text = redacted(f"{method} {path} [{lines}] {len(webhook.body)} bytes", key)
    return f"{label + ': ' if label else ''}{_cut(text)}"


def answered(answer: WebhookResponse | None, key: str, trouble: str = "") -> str:
    """An answer in one line, without key and signatures."""
    if answer is None:
        return f"no answer ({redacted(trouble, key)})"
    # Cut afterwards: the first half of a key would not be known as one.
    text = redacted(answer.text, key)[:_SHOWN].strip()
    error = f", raised {redacted(repr(answer.error), key)}" if answer.error else ""
    return _cut(f"{answer.status_code} {text!r}{error}" if text else f"{answer.status_code}{error}")


def redacted(text: str, key: str) -> str:
    """A text in which the key, its base64 and whatever looks like a signature are masked."""
    if key.strip():
        for form in (key, base64.b64encode(key.encode()).decode()):
            text = text.replace(form, masked(form))
    return _LONG.sub(lambda found: masked(found[0]), text)


def _cut(text: str) -> str:
    return text if len(text) <= 3 * _SHOWN else text[: 3 * _SHOWN] + " ..."
