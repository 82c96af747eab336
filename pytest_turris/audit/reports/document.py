"""The report as data: what every other form is made from. All texts in it are inert.

``docs/reference/audit-report.schema.json`` describes it.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pytest_turris.audit.assessment import AssessedMistake, Assessment, LineState, Status
from pytest_turris.audit.checklist import PAGE
from pytest_turris.audit.declarations import Attestation, Waiver
from pytest_turris.audit.families import check_of
from pytest_turris.audit.reports.inert import inert_document
from pytest_turris.audit.reports.served_steps import SERVED_STEPS
from pytest_turris.core.text.docs_links import page

_VERSION = 1
"""Of the form of the document; raised by each change that a reader could notice."""

_SCHEMA = page("reference/audit-report.schema").removesuffix(".html") + ".json"
STATUSES: tuple[Status, ...] = (
    "violated", "waived", "not observed", "attested", "no violation", "proven"
)  # fmt: skip
"""In the order of a summary: what needs work first."""

Document = dict[str, Any]


def report_document(assessed: Assessment) -> Document:
    """The whole report as JSON data."""
    is_served = assessed.facts.requests is not None
    found: Document = inert_document(
        {
            "$schema": _SCHEMA,
            "version": _VERSION,
            "tool": {"name": "pytest-turris", "version": tool_version()},
            "checklist": PAGE,
            "at": assessed.at.isoformat(timespec="seconds"),
            "summary": {status: assessed.count(status) for status in STATUSES},
            "run": {
                "tests": assessed.facts.tests,
                "with_evidence": assessed.facts.with_sandbox,
                "requests": assessed.facts.requests,
                "problems": list(assessed.facts.problems),
                "proves_nothing": assessed.proves_nothing,
            },
            "channels": [
                {"check": name, "sees": not reason, "reason": reason}
                for name, reason in sorted(assessed.facts.channels.items())
            ],
            "lines": [_line(state, is_served=is_served) for state in assessed.lines],
            "results": [_result(one) for one in assessed.results],
            "checks": [_check(id_, times) for id_, times in assessed.ran.items()],
            "ignored": [
                {"check": id_, "reason": reason} for id_, reason in assessed.ignored.items()
            ],
            "allowed": [
                {"rule": one.rule, "place": one.place, "reason": one.reason, "times": times}
                for one, times in assessed.facts.allowed.items()
            ],
            "waivers": [_waiver(one) | {"state": state} for one, state in assessed.waivers],
        }
    )
    return found


def tool_version() -> str:
    """The version of this package."""
    try:
        return version("pytest-turris")
    except PackageNotFoundError:  # pragma: no cover - run from a source tree without metadata
        return "0"


def _line(state: LineState, *, is_served: bool) -> Document:
    line = state.line
    served = SERVED_STEPS.get(line.id) if is_served else None
    return {
        "id": line.id,
        "section": line.section,
        "words": line.words,
        "kind": line.kind,
        "status": state.status,
        "held": [_check(id_, times) for id_, times in state.held.items()],
        "never": list(state.never),
        "results": [one.spotted.fingerprint for one in state.results],
        "attestation": _attestation(state.attestation),
        "note": state.note,
        "next_step": served or line.next_step,
        "beyond": line.beyond,
        "repeats": list(line.repeats),
        "help_uri": line.help_uri,
    }


def _result(one: AssessedMistake) -> Document:
    spotted, check = one.spotted, check_of(one.spotted.check)
    finding, place = spotted.finding, spotted.place
    return {
        "fingerprint": spotted.fingerprint,
        "check": check.id,
        "title": check.title,
        "level": finding.level,
        "where": spotted.where,
        "path": place.path,
        "line": place.line or None,
        "symbol": place.symbol,
        "kind": finding.kind,
        "sent": finding.sent,
        "got": finding.got,
        "expected": finding.expected,
        "why": finding.why,
        "fix": finding.fix,
        "source": check.source,
        "help_uri": check.help_uri,
        "tests": list(one.tests),
        "exchanges": list(spotted.exchanges),
        "waiver": _waiver(one.waiver) if one.waiver else None,
    }


def _check(id_: str, times: int) -> Document:
    check = check_of(id_)
    return {"check": id_, "title": check.title, "times": times, "help_uri": check.help_uri}


def _waiver(one: Waiver) -> Document:
    return {
        "rule": one.rule,
        "place": one.place,
        "reason": one.reason,
        "owner": one.owner,
        "expires": one.expires.isoformat(),
    }


def _attestation(one: Attestation | None) -> Document | None:
    if one is None:
        return None
    return {
        "statement": one.statement,
        "owner": one.owner,
        "date": one.date.isoformat(),
        "review_by": one.review_by.isoformat(),
    }
