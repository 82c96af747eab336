"""Findings about the server under a receiver, in one line: they are not its fault."""

from collections.abc import Iterable, Iterator

from pytest_turris.attacks.attack import Attack
from pytest_turris.findings.verdict import Verdict


def is_about_server(verdict: Verdict) -> bool:
    """Whether a verdict says something about the server alone, and nothing serious."""
    about = verdict.check.about if isinstance(verdict.check, Attack) else "receiver"
    return about == "server" and verdict.outcome == "noted"


def server_line(verdicts: Iterable[Verdict]) -> str:
    """Return what the server lets through, in one line; empty if that is nothing."""
    found = list(_found(verdicts))
    return f"its server (info): {'; '.join(found)}" if found else ""


def _found(verdicts: Iterable[Verdict]) -> Iterator[str]:
    for verdict in filter(is_about_server, verdicts):
        statuses = (finding for finding in verdict.findings if finding.kind == "status")
        got = dict.fromkeys(finding.got.partition(" ")[0] for finding in statuses)
        words = verdict.check.title.replace("-", " ")
        yield f"{verdict.check.id} {words} ({', '.join(got)})"
