"""RQ-18 and RQ-19: what logs have of answers: too much of the records, or nothing of an error."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pytest_turris.audit.check import AuditCheck
from pytest_turris.audit.evidence import Evidence, Spotted
from pytest_turris.audit.leaks.traces import Trace
from pytest_turris.audit.places import Place, PlaceFinder
from pytest_turris.audit.seen import SandboxRecord, SeenRequest
from pytest_turris.findings.verdict import Finding

WHOLE_RECORDS = AuditCheck(
    id="RQ-18",
    title="No whole record is logged",
    level="should",
    does="Looks for log records and printed text with nearly all values of a record of an answer.",
    why="Logs are read by many and kept long; a record has names, addresses and numbers of people.",
    fix="Log the id of the record.",
    source="vendor: minimise the amount of sensitive data; OWASP Logging Cheat Sheet",
)
CORRELATION = AuditCheck(
    id="RQ-19",
    title="The requestId of an error is kept",
    level="info",
    does="Looks for the requestId of each error answer in the log, the output and "
    "the exceptions; answers that are part of the protocol (401, 404, 429) are left out.",
    why="Turris' support finds a request by its requestId only.",
    fix="Add the requestId to the exception, or to the record of the error.",
    source="vendor: guides/error-handling, log the requestId",
)

_LOGGED = ("LK-01", "LK-02")
_SAID = ("LK-01", "LK-02", "LK-03", "LK-04")
_PROTOCOL = frozenset({401, 404, 429})
_ERROR = 400
_FEWEST = 6
"""Fewer values do not make a record."""

_NEARLY_ALL = 0.8
_SHORTEST = 4
_MOST_RECORDS = 50


class LoggedAnswers:
    """Compares what one test logged with the answers that its sandbox gave.

    Args:
        evidence: Gets the findings.
        record: What the sandbox saw.
        traces: What the application logged, printed, warned of and raised.
        finder: Makes places of calls.
    """

    def __init__(
        self,
        evidence: Evidence,
        record: SandboxRecord,
        traces: Iterable[Trace],
        finder: PlaceFinder,
    ) -> None:
        self._evidence = evidence
        self._record = record
        self._traces = [one for one in traces if one.check in _SAID]
        self._finder = finder

    def judge(self, ignored: frozenset[str]) -> None:
        """Add what the two rules find."""
        if CORRELATION.id not in ignored:
            self._correlation()
        if WHOLE_RECORDS.id not in ignored:
            self._whole_records()

    def _correlation(self) -> None:
        errors = [one for one in self._record.calls if _is_error(one)]
        said = "\n".join(one.text for one in self._traces) if errors else ""
        spotted = [
            self._spotted(
                CORRELATION, self._record.place(one), [one], "its requestId is kept nowhere",
                "the requestId of the answer in the log or in the exception",
            )
            for one in errors
            if one.request_id not in said
        ]  # fmt: skip
        self._note(CORRELATION, len(errors), spotted)

    def _whole_records(self) -> None:
        answers = [one for one in self._record.calls if one.answered]
        texts = [one for one in self._traces if one.check in _LOGGED and len(one.text) > _FEWEST]
        spotted = []
        for text in texts:
            seen = next((one for one in answers if _is_in(one, text.text)), None)
            if seen:
                place = self._finder.place(text.call, self._record.here)
                spotted.append(
                    self._spotted(
                        WHOLE_RECORDS, place, [seen], f"a whole record of {seen.operation} in it",
                        "its id",
                    )
                )  # fmt: skip
        self._note(WHOLE_RECORDS, len(texts) if answers else 0, spotted)

    def _note(self, check: AuditCheck, times: int, spotted: list[Spotted]) -> None:
        once = {one.fingerprint: one for one in reversed(spotted)}
        self._evidence.note(check.id, times, once.values())

    def _spotted(
        self, check: AuditCheck, place: Place, seen: list[SeenRequest], got: str, expected: str
    ) -> Spotted:
        lines = self._record.lines(seen)
        finding = Finding(
            level=check.level, sent=lines[-1].partition("  ")[2], got=got, expected=expected,
            why=check.why, fix=check.fix,
        )  # fmt: skip
        return Spotted(
            check=check.id, finding=finding, place=place, test=self._evidence.test, exchanges=lines,
            numbers=tuple(one.in_journal for one in seen),
        )  # fmt: skip


def _is_error(seen: SeenRequest) -> bool:
    return seen.shows_request_id and seen.status >= _ERROR and seen.status not in _PROTOCOL


def _is_in(seen: SeenRequest, text: str) -> bool:
    """Whether nearly all values of one record of an answer are in a text."""
    for values in _records(seen):
        found = sum(value in text for value in values)
        if len(values) >= _FEWEST and found >= _NEARLY_ALL * len(values):
            return True
    return False


def _records(seen: SeenRequest) -> Iterator[set[str]]:
    """The values of each record in an answer, without those that are too short to be known."""
    try:
        document = json.loads(seen.answered)
    except (ValueError, RecursionError):
        return
    data = document.get("data", document) if isinstance(document, dict) else document
    rows = data if isinstance(data, list) else [data]
    for row in rows[:_MOST_RECORDS]:
        yield {value for value in _values(row) if len(value) >= _SHORTEST}


def _values(part: Any) -> Iterator[str]:  # noqa: ANN401 - JSON of any shape
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict | list):
        for one in part.values() if isinstance(part, dict) else part:
            yield from _values(one)
