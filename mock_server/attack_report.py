"""Runs the attacks of ``turris-sandbox attack``, and prints the table of verdicts."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from pytest_turris.attacks.catalogue import Profile, profile
from pytest_turris.attacks.context import ALL_EVENTS, AttackContext
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.series.series import AttackSeries, SeriesResult
from pytest_turris.attacks.series.server_notes import is_about_server, server_line
from pytest_turris.core.text.plurals import counted
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
    total_seconds: float | None = None,
) -> SeriesResult:
    """Run the attacks of a profile on a receiver, with a progress bar.

    Args:
        receiver: The receiver under attack.
        factory: Builds genuine webhooks.
        name: The profile.
        console: Where the progress bar is shown.
        events: The event types that the receiver acts on; all by default.
        ignored: The attacks to leave out, with the reasons.
        total_seconds: The time for all attacks together; None for no limit.
    """
    acts_on = {event: ALL_EVENTS[event] for event in events} or ALL_EVENTS
    context = AttackContext(factory=factory, events=acts_on)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("attacking", total=None)
        series = AttackSeries(
            receiver,
            context,
            ignored=ignored,
            total_seconds=total_seconds,
            on_progress=lambda done, total, _: bar.update(task, completed=done, total=total),
        )
        return series.run(profile(name))


def report(result: SeriesResult, console: Console) -> None:
    """Print the table of verdicts, the findings, and how many attacks had each outcome.

    Attacks that were not observed for one reason have one line, which says it, and so have
    those about the server alone.
    """
    verdicts = result.verdicts
    rest = [one.check.id for one in verdicts if result.cause and one.reason == result.cause]
    table = Table("Attack", "Level", "Verdict", "Reason")
    for verdict in verdicts:
        if verdict.check.id in rest or is_about_server(verdict):
            continue
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
    for line in (server_line(verdicts), _stopped(result.cause, rest)):
        if line:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    counts = Counter(verdict.outcome for verdict in verdicts)
    console.print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))


def _stopped(cause: str, rest: list[str]) -> str:
    """Why some attacks were not observed, if they share a reason."""
    if not rest:
        return ""
    return f"{counted(len(rest), 'attack')} not observed, {rest[0]} to {rest[-1]}: {cause}"


def write_json(verdicts: Iterable[Verdict], file: Path) -> None:
    """Write the verdicts as a JSON array, redacted; see ``Verdict.as_json``."""
    file.write_text(json.dumps([verdict.as_json() for verdict in verdicts], indent=2) + "\n")


def _reasons(verdict: Verdict) -> Iterator[str]:
    for finding in verdict.findings[:2]:
        yield f"got {finding.got}, expected {finding.expected}"
