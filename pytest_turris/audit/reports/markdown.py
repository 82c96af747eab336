"""The report in Markdown, for the summary of a job."""

import re
from collections.abc import Iterator

from pytest_turris.audit.reports.document import STATUSES, Document
from pytest_turris.audit.reports.inert import one_line
from pytest_turris.core.text.plurals import counted

_SIGNS = {
    "violated": "❌",
    "waived": "⚠️",
    "not observed": "❔",
    "attested": "✍️",
    "no violation": "🔎",
    "proven": "✅",
}
# A backslash before a punctuation mark stands for the mark itself (CommonMark 0.31, 2.4).
_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+!|~&:@-])")
_MOST = 50


def markdown(document: Document) -> str:
    """The report of a run."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield "# Turris audit"
    yield ""
    yield _summary(document)
    yield ""
    for problem in document["run"]["problems"]:
        yield f"> **Incomplete:** {safe(problem)}"
        yield ""
    yield "| | Line | Advice | What is known |"
    yield "|---|---|---|---|"
    for line in document["lines"]:
        link = f"[{line['id']}]({line['help_uri']})"
        yield f"| {_SIGNS[line['status']]} | {link} | {safe(line['words'])} | {_known(line)} |"
    yield ""
    results = document["results"]
    if results:
        yield "## Findings"
        yield ""
        yield "| Level | Check | Place | Found | Fix |"
        yield "|---|---|---|---|---|"
        for one in results[:_MOST]:
            waived = " (waived)" if one["waiver"] else ""
            yield (
                f"| {one['level']}{waived} | [{one['check']}]({one['help_uri']}) "
                f"| {safe(one['where'])} | {safe(one['got'])} | {safe(one['fix'])} |"
            )
        if len(results) > _MOST:
            yield ""
            yield f"{len(results) - _MOST} more are in report.html."
        yield ""
    blind = [one for one in document["channels"] if not one["sees"]]
    for one in blind:
        yield f"- {one['check']} was blind: {safe(one['reason'])}"


def _summary(document: Document) -> str:
    if document["run"]["proves_nothing"]:
        return "**Nothing is proven: no check had anything to look at.**"
    counts = document["summary"]
    return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])


def _known(line: Document) -> str:
    if line["attestation"] and line["status"] == "attested":
        said = line["attestation"]
        return f"{safe(said['statement'])} ({safe(said['owner'])}, {said['date']})"
    if line["status"] in ("proven", "no violation"):
        held = ", ".join(f"{one['check']} ({one['times']})" for one in line["held"])
        notes = f"{counted(len(line['results']), 'note')}, see below" if line["results"] else ""
        return f"{line['status']}: {', '.join(filter(None, (held, notes)))}"
    if line["status"] in ("violated", "waived"):
        return f"{line['status']}: {len(line['results'])}, see below"
    step = f" To prove it: {_code(line['next_step'])}" if line["next_step"] else ""
    return f"{safe(line['status'])}.{step} {safe(line['note'])}".strip()


def safe(text: str) -> str:
    """A text that Markdown shows as it is, in one line."""
    return _MARKS.sub(r"\\\1", one_line(text))


def _code(text: str) -> str:
    """Code inside a table: neither a bar nor a backtick may end it."""
    return "`" + one_line(text).replace("`", "'").replace("|", "\\|") + "`"
