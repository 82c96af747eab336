"""The report on a terminal: the checklist as a table, then each finding in full."""

from collections.abc import Iterator

from pytest_turris.audit.reports.document import STATUSES, Document
from pytest_turris.core.text.plurals import counted
from pytest_turris.findings.text import laid_out

COLOURS = {
    "proven": "green",
    "no violation": "cyan",
    "attested": "magenta",
    "violated": "red",
    "waived": "yellow",
    "must": "red",
    "should": "yellow",
}
"""The colours of statuses and levels, by their ANSI names."""

_WIDTH = max(map(len, STATUSES))


def summary(document: Document) -> str:
    """One line: how many lines of the checklist have which status."""
    if document["run"]["proves_nothing"]:
        return "nothing is proven: no check had anything to look at"
    counts = document["summary"]
    return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])


def table(document: Document) -> Iterator[tuple[str, str]]:
    """Each line of the checklist with its status, which decides the colour."""
    for line in document["lines"]:
        yield line["status"], f"{line['status']:<{_WIDTH}}  {line['id']}  {line['words']}"
        if line["status"] == "not observed" and line["next_step"]:
            yield "", f"{'':<{_WIDTH}}          to prove it: {line['next_step']}"
        if line["note"] and not line["repeats"]:
            yield "", f"{'':<{_WIDTH}}          {line['note']}"


def findings(document: Document) -> Iterator[tuple[str, str]]:
    """Each finding with its level, in the layout of every verdict."""
    for one in document["results"]:
        heading = f"{one['check']} {one['title']}: {one['level']}"
        if one["waiver"]:
            heading += f", waived until {one['waiver']['expires']}"
        yield one["level"], laid_out(heading, _rows(one))


def notes(document: Document) -> Iterator[str]:
    """Further notes: missing evidence, channels without sight, expired waivers."""
    yield from document["run"]["problems"]
    for channel in document["channels"]:
        if not channel["sees"]:
            yield f"{channel['check']} was blind, so it shows nothing: {channel['reason']}"
    for waiver in document["waivers"]:
        if waiver["state"] != "used":
            yield (
                f"the waiver of {waiver['rule']} at {waiver['place']} is {waiver['state']} "
                f"(until {waiver['expires']}, {waiver['owner']})"
            )
    for one in document["allowed"]:
        if not one["times"]:
            yield f"what [[allowed]] says of {one['rule']} at {one['place']} is not there"
    for one in document["ignored"]:
        yield f"{one['check']} is left out in a test: {one['reason']}"


def _rows(one: Document) -> Iterator[tuple[str, str]]:
    symbol = f", in {one['symbol']}" if one["line"] and one["symbol"] else ""
    yield "at", f"{one['where']}{symbol}"
    yield "sent", "\n".join(one["exchanges"]) or one["sent"]
    yield "got", one["got"]
    yield "expected", one["expected"]
    yield "why", f"{one['why']} Source: {one['source']}."
    yield "fix", one["fix"]
    tests = one["tests"]
    if tests:
        more = f" and in {counted(len(tests) - 1, 'other test')}" if len(tests) > 1 else ""
        yield "seen in", tests[0] + more
    if one["waiver"]:
        yield "waived", f"{one['waiver']['reason']} ({one['waiver']['owner']})"
    yield "more", one["help_uri"]
