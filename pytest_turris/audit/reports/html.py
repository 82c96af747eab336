"""The report as one HTML file: no script, no other host, light and dark, fit for paper."""

import datetime as dt
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from pathlib import Path

from pytest_turris.audit.reports.document import STATUSES, Document
from pytest_turris.audit.reports.ranges import ranges
from pytest_turris.core.text.plurals import counted

_STYLE = Path(__file__).with_name("style.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_COLUMNS = 4
_OF_CHECK = ("why", "fix", "source")
"""What the findings of one check mostly have in common."""

_EXPLAINED = {
    "violated": "a check found a violation",
    "waived": "violations are accepted for a time",
    "not observed": "nothing is known",
    "attested": "a person says so",
    "no violation": "checks found no violation, which does not prove it",
    "proven": "checks that could have failed ran and held",
}


def html(document: Document) -> str:
    """The whole file."""
    style = _STYLE.read_text("utf-8")
    body = "\n".join(_body(document))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="referrer" content="no-referrer">
<title>Turris audit</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _body(document: Document) -> Iterator[str]:
    yield "<h1>Turris audit</h1>"
    tool, run = document["tool"], document["run"]
    yield (
        f'<p class="soft">{_moment(document["at"])}, {_seen(run)}. '
        f"{_text(tool['name'])} {_text(tool['version'])}. The lines are those of "
        f'<a href="{_text(document["checklist"])}">Turris: Security Best Practices</a>.</p>'
    )
    if run["proves_nothing"]:
        yield '<p class="problem"><b>Nothing is proven:</b> no check had anything to look at.</p>'
    for problem in run["problems"]:
        yield f'<p class="problem"><b>Incomplete:</b> {_text(problem)}</p>'
    yield from _counts(document["summary"])
    yield from _checklist(document)
    yield from _findings(document["results"])
    yield from _waivers(document["waivers"])
    yield from _limits(document)
    yield from _checks(document["checks"])


def _moment(text: str) -> str:
    """A time as people read it."""
    return f"{dt.datetime.fromisoformat(text).astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def _seen(run: Document) -> str:
    """What the report rests on."""
    if run["requests"] is not None:
        return f"{counted(run['requests'], 'request')} to a running sandbox"
    return f"{counted(run['tests'], 'test')}, {run['with_evidence']} of them with evidence"


def _counts(summary: Document) -> Iterator[str]:
    yield '<ul class="counts">'
    for status in STATUSES:
        if summary[status]:
            yield (
                f'<li class="{_class(status)}"><b>{summary[status]}</b> '
                f"<span>{status}</span><br>"
                f'<span class="soft small">{_EXPLAINED[status]}</span></li>'
            )
    yield "</ul>"


def _checklist(document: Document) -> Iterator[str]:
    yield "<h2>The checklist</h2>"
    yield "<table>"
    yield "<thead><tr><th>Status</th><th>Line</th><th>Advice</th><th>Evidence</th></tr></thead>"
    yield "<tbody>"
    section = ""
    results = {one["fingerprint"]: one for one in document["results"]}
    for line in document["lines"]:
        if line["section"] != section:
            section = line["section"]
            yield f'<tr class="section"><th colspan="{_COLUMNS}">{_text(section)}</th></tr>'
        status = line["status"]
        yield (
            f'<tr id="{_text(line["id"])}"><td class="status {_class(status)}">{status}</td>'
            f'<td class="id"><a href="{_text(line["help_uri"])}">{_text(line["id"])}</a></td>'
            f'<td class="words">{_text(line["words"])}</td><td>{_evidence(line, results)}</td></tr>'
        )
    yield "</tbody></table>"


def _evidence(line: Document, results: dict[str, Document]) -> str:
    parts = []
    if line["results"]:
        links = {results[one]["check"]: one for one in reversed(line["results"])}
        found = ", ".join(
            f'<a href="#{_text(at)}">{_text(id_)}</a>' for id_, at in sorted(links.items())
        )
        notes = all(results[one]["level"] == "info" for one in line["results"])
        kind = "note" if notes else "finding"
        parts.append(f"{counted(len(line['results']), kind)}: {found}.")
    if line["held"]:
        held = ", ".join(
            f"{_text(one['check'])} ({counted(one['times'], 'time')})" for one in line["held"]
        )
        parts.append(f'<span class="small">Held: {held}.</span>')
    if said := line["attestation"]:
        parts.append(
            f'{_text(said["statement"])} <span class="soft small">{_text(said["owner"])}, '
            f"{_text(said['date'])}; review by {_text(said['review_by'])}.</span>"
        )
    if line["status"] == "not observed" and line["next_step"]:
        parts.append(
            f'<span class="small">To prove it:</span> <code>{_text(line["next_step"])}</code>'
        )
    parts += [
        f'<span class="soft small">{_text(line[name])}</span>'
        for name in ("note", "beyond")
        if line[name]
    ]
    if line["never"] and line["kind"] != "process":
        never = _text(", ".join(ranges(line["never"])))
        parts.append(f'<span class="soft small">Did not run: {never}.</span>')
    return "<br>".join(parts)


def _findings(results: list[Document]) -> Iterator[str]:
    if not results:
        return
    yield f"<h2>{counted(len(results), 'finding').capitalize()}</h2>"
    for _, group in groupby(results, lambda one: (one["level"], one["check"])):
        yield from _of_check(list(group))


def _of_check(found: list[Document]) -> Iterator[str]:
    """The findings of one check: what they have in common comes first, once."""
    first = found[0]
    level = first["level"]
    common = {name for name in _OF_CHECK if len({one[name] for one in found}) == 1}
    yield f'<section class="{level}">'
    yield (
        f'<header><span class="level {level}">{level}</span>'
        f'<h3><a href="{_text(first["help_uri"])}">{_text(first["check"])}</a> '
        f"{_text(first['title'])}</h3>"
        f'<span class="soft">{counted(len(found), "finding")}</span></header>'
    )
    yield from _list((name, _text(first[name])) for name in _OF_CHECK if name in common)
    for one in found:
        waived = '<span class="waived level">waived</span>' if one["waiver"] else ""
        yield f'<article id="{_text(one["fingerprint"])}">'
        yield f'<h4 class="place">{_text(one["where"])} {waived}</h4>'
        own = [(name, _text(one[name])) for name in _OF_CHECK if name not in common]
        yield from _list([*_rows(one), *own])
        yield "</article>"
    yield "</section>"


def _list(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield "<dl>"
    for name, value in rows:
        if value:
            yield f"<dt>{name}</dt><dd>{value}</dd>"
    yield "</dl>"


def _rows(one: Document) -> Iterator[tuple[str, str]]:
    yield "in", f"<code>{_text(one['symbol'])}</code>" if one["symbol"] else ""
    exchanges = "\n".join(map(_text, one["exchanges"])) or _text(one["sent"])
    yield "sent", f"<pre>{exchanges}</pre>" if exchanges else ""
    yield "got", _text(one["got"])
    yield "expected", _text(one["expected"])
    yield "seen in", "<br>".join(map(_text, one["tests"][:5])) + _more(len(one["tests"]) - 5)
    if waiver := one["waiver"]:
        until = f"{_text(waiver['owner'])}, until {_text(waiver['expires'])}"
        yield "waived", f"{_text(waiver['reason'])} ({until})"


def _more(count: int) -> str:
    return f"<br>and {count} more" if count > 0 else ""


def _waivers(waivers: list[Document]) -> Iterator[str]:
    if not waivers:
        return
    yield "<h2>Waivers</h2>"
    yield "<table><thead><tr><th>State</th><th>Check and place</th><th>Reason</th>"
    yield "<th>Owner, until</th></tr></thead><tbody>"
    for one in waivers:
        yield (
            f"<tr><td>{one['state']}</td><td>{_text(one['rule'])} <code>{_text(one['place'])}"
            f"</code></td><td>{_text(one['reason'])}</td><td>{_text(one['owner'])}, "
            f"{_text(one['expires'])}</td></tr>"
        )
    yield "</tbody></table>"


def _limits(document: Document) -> Iterator[str]:
    blind = [one for one in document["channels"] if not one["sees"]]
    if not (document["channels"] or document["ignored"] or document["allowed"]):
        return
    yield "<h2>What this run could not see</h2>"
    if document["channels"] and not blind:
        count = counted(len(document["channels"]), "channel")
        yield f"<p>The leak watch saw its own canary in all of its {count}.</p>"
    for one in blind:
        yield f"<p><b>{_text(one['check'])} was blind:</b> {_text(one['reason'])}</p>"
    for one in document["ignored"]:
        yield f"<p>{_text(one['check'])} is left out in a test: {_text(one['reason'])}</p>"
    for one in document["allowed"]:
        yield (
            f"<p>{_text(one['rule'])} is allowed at <code>{_text(one['place'])}</code>, "
            f"{counted(one['times'], 'time')}: {_text(one['reason'])}</p>"
        )


def _checks(checks: list[Document]) -> Iterator[str]:
    if not checks:
        return
    yield f"<h2>{counted(len(checks), 'check')} that ran</h2>"
    yield '<ul class="checks small">'
    for one in checks:
        yield (
            f'<li><a href="{_text(one["help_uri"])}">{_text(one["check"])}</a>'
            f"<span>{_text(one['title'])}</span>"
            f'<span class="times">{counted(one["times"], "time")}</span></li>'
        )
    yield "</ul>"


def _text(value: str) -> str:
    return escape(value, quote=True)


def _class(status: str) -> str:
    return status.replace(" ", "-")
