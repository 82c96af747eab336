"""The clients that were not written to please a check, and what the sweep says about them."""

from strangers.clients import record
from strangers.clients.registry import BROKEN, CORRECT

_ACCUSING = ("failed", "warned", "noted")


def as_markdown() -> str:
    """A table of the correct clients with all findings, and one of the bugs."""
    found = record.load()
    return f"{_correct(found['correct'])}\n{_broken(found['broken'])}"


def _correct(rows: dict[str, dict[str, dict[str, list[str]]]]) -> str:
    lines = [
        "## Correct clients\n",
        "| Client | Design | Verdicts | Findings |",
        "|---|---|---|---|",
    ]
    for name, design in CORRECT.items():
        ways = rows.get(name, {})
        verdicts = [outcome for way in ways.values() for outcome in way.items()]
        total = sum(len(checks) for _, checks in verdicts)
        unseen = sum(len(checks) for outcome, checks in verdicts if outcome == "not observed")
        count = f"{total} in {len(ways)} ways, {unseen} not observed"
        lines.append(f"| `{name}` | {design.story} | {count} | {_findings(name, ways)} |")
    return "\n".join(lines) + "\n"


def _findings(name: str, ways: dict[str, dict[str, list[str]]]) -> str:
    parts = []
    for level, outcome in zip(("must", "should", "info"), _ACCUSING, strict=True):
        checks = {check for way in ways.values() for check in way.get(outcome, ())}
        if checks:
            words = [f"{each}{_reason(name, each)}" for each in sorted(checks)]
            parts.append(f"{level}: {', '.join(words)}")
    return "; ".join(parts) or "none"


def _reason(name: str, check: str) -> str:
    reason = CORRECT[name].remarks.get(check)
    return f" ({reason})" if reason else ""


def _broken(rows: dict[str, dict[str, list[str]]]) -> str:
    lines = ["## Clients with one bug\n", "| Client | Bug | Caught by |", "|---|---|---|"]
    for name, design in BROKEN.items():
        seen = {check: level for level in _ACCUSING for check in rows.get(name, {}).get(level, ())}
        missed = f"nothing: {design.argument}" if design.argument else "open"
        caught = ", ".join(sorted(seen)) or missed
        lines.append(f"| `{name}` | {design.story} | {caught} |")
    return "\n".join(lines) + "\n"
