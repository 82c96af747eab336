"""The checklist of the audit, and its own checks."""

from collections.abc import Iterable

from mock_server.explaining.checks import explained
from pytest_turris.audit.check import AuditCheck
from pytest_turris.audit.checklist import CHECKLIST, ChecklistLine
from pytest_turris.audit.checks import OWN
from pytest_turris.audit.families import all_checks


def as_markdown() -> str:
    """The checklist, then a section for each check."""
    sections = [*map(_line_section, CHECKLIST.values()), *map(_check_section, OWN.values())]
    return f"{_table()}\n\n{_joined(sections)}"


def _table() -> str:
    rows = ["| Line | Advice | Kind | Proven by one of each group |", "|---|---|---|---|"]
    for line in CHECKLIST.values():
        groups = " and ".join(" or ".join(group) for group in line.proofs)
        proofs = groups or ("as " + ", ".join(line.repeats) if line.repeats else "people")
        rows.append(f"| [{line.id}](#{line.id.lower()}) | {line.words} | {line.kind} | {proofs} |")
    return "\n".join(rows)


def _line_section(line: ChecklistLine) -> list[str]:
    rows = [f"## {line.id}", "", f"**{line.words}.** {line.section}; {line.kind}.", ""]
    if line.repeats:
        return [*rows, f"- Repeats {', '.join(line.repeats)}, and holds as far as they do."]
    rows.append(f"- To prove it: `{line.next_step}`")
    if line.checks:
        rows.append(f"- Checks: {', '.join(map(_linked, line.checks))}.")
    return [*rows, f"- Beyond a test: {line.beyond}"] if line.beyond else rows


def _check_section(check: AuditCheck) -> list[str]:
    return [
        f"## {check.id}", "", f"**{check.title}.** {check.does}", "",
        f"- Otherwise: {check.why}",
        f"- Fix: {check.fix}",
        f"- Level `{check.level}`. Source: {check.source}.",
        *explained(check).folded_code(),
    ]  # fmt: skip


def _linked(id_: str) -> str:
    page = all_checks()[id_].help_uri.partition("/latest/")[2].replace(".html", ".md")
    return f"[{id_}](../{page})"


def _joined(sections: Iterable[list[str]]) -> str:
    return "\n\n".join("\n".join(section) for section in sections) + "\n"
