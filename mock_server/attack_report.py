"""Runs the attacks of ``turris-sandbox attack``, and prints the table of verdicts."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.catalogue import Profile, profile
from pytest_turris.attacks.context import ALL_EVENTS, AttackContext
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.attacks.step import accepted
from pytest_turris.findings.check import label
from pytest_turris.findings.ignore import IgnoredChecks, option
from pytest_turris.findings.verdict import Verdict
from pytest_turris.webhooks.factory import WebhookFactory

_COLOURS = {
    "failed": "red",
    "warned": "yellow",
    "noted": "cyan",
    "skipped": "dim",
    "ignored": "dim",
}


def run_profile(
    receiver: Receiver,
    factory: WebhookFactory,
    name: Profile,
    console: Console,
    *,
    events: Iterable[str] = (),
    ignored: IgnoredChecks,
) -> list[Verdict]:
    """Run the attacks of a profile on a receiver, with a progress bar.

    Args:
        receiver: The receiver under attack.
        factory: Builds genuine webhooks.
        name: The profile.
        console: Where the progress bar is shown.
        events: The event types that the receiver acts on; all by default.
        ignored: The attacks to leave out, with the reasons.
    """
    acts_on = {event: ALL_EVENTS[event] for event in events} or ALL_EVENTS
    context = AttackContext(factory=factory, events=acts_on)

    def verdict(attack: Attack) -> Verdict:
        if reason := ignored.reason(attack.id):
            return Verdict(check=attack, outcome="ignored", reason=reason)
        return run_attack(attack, receiver, context)

    bar = track(profile(name), description="attacking", console=console, transient=True)
    return [verdict(attack) for attack in bar]


def is_reachable(receiver: Receiver, factory: WebhookFactory) -> bool:
    """Whether the receiver answers a genuine webhook, with any status."""
    webhook = factory.producer_agreement_executed()
    return receiver.send(accepted(webhook, effects="any"))[0].answer is not None


def report(verdicts: list[Verdict], console: Console) -> None:
    """Print the table of verdicts, the findings, and how many attacks had each outcome."""
    table = Table("Attack", "Level", "Verdict", "Reason")
    for verdict in verdicts:
        colour = _COLOURS.get(verdict.outcome, "green")
        found = "; ".join(dict.fromkeys(_reasons(verdict)))
        reason = verdict.reason or found or "; ".join(verdict.notes)
        table.add_row(
            label(verdict.check),
            verdict.check.level,
            f"[{colour}]{verdict.outcome}[/]",
            reason.replace("[", r"\["),
        )
    console.print(table)
    for verdict in verdicts:
        if verdict.outcome in ("failed", "warned"):
            text = verdict.text(option(verdict.check.id))
            console.print(text, markup=False, highlight=False, soft_wrap=True)
    counts = Counter(verdict.outcome for verdict in verdicts)
    console.print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))


def write_json(verdicts: list[Verdict], file: Path) -> None:
    """Write the verdicts as a JSON array, redacted; see ``Verdict.as_json``."""
    file.write_text(json.dumps([verdict.as_json() for verdict in verdicts], indent=2) + "\n")


def _reasons(verdict: Verdict) -> Iterator[str]:
    for finding in verdict.findings[:2]:
        yield f"got {finding.got}, expected {finding.expected}"
