"""Requests for the URLs of attacks that came after their verdict."""

from collections.abc import Mapping, Sequence

from pytest_turris.findings.verdict import Finding, Verdict


def found_late(visits: Mapping[str, str]) -> str:
    """One line for each late request, by the id of the attack that sent the URL."""
    return "\n".join(
        f"{id_}: {_got(place)}, after the attack's test was over. Never fetch a URL from a webhook."
        for id_, place in visits.items()
    )


def with_late_visits(verdicts: Sequence[Verdict], visits: Mapping[str, str]) -> list[Verdict]:
    """Return the verdicts; an attack whose URL was requested later has failed.

    Args:
        verdicts: What was found while the attacks ran.
        visits: The place of a URL that was asked for, by the id of the attack.
    """
    return [
        _failed(verdict, visits[verdict.check.id]) if verdict.check.id in visits else verdict
        for verdict in verdicts
    ]


def _failed(verdict: Verdict, place: str) -> Verdict:
    finding = Finding(
        kind="effects",
        level="must",
        sent="",
        got=f"{_got(place)}, some time after its answer",
        expected="no request, at any time",
    )
    return Verdict.of(verdict.check, (*verdict.findings, finding), notes=verdict.notes)


def _got(place: str) -> str:
    return f"the receiver connected to a URL that stood in a webhook ({place or 'no request'})"
