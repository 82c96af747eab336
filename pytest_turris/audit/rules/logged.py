"""RQ-18 and RQ-19: what logs have of answers: too much of the records, or nothing of an error."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any

from pytest_turris.audit.check import AuditCheck
from pytest_turris.audit.evidence import Evidence, Spotted
from pytest_turris.audit.leaks.literals import Literals
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

_LACKING = 5
"""Nearly all values of a record: one of this many may lack."""

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
        ids = Literals(one.request_id for one in errors)
        said = ids.found_in("\n".join(one.text for one in self._traces)) if errors else set()
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
        known = _KnownRecords(answers if texts else [])
        spotted = []
        for text in texts:
            if seen := known.first_in(text.text):
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


class _KnownRecords:
    """The records of some answers, by their values.

    A record in a text may lack a fifth of its values, so that one of a few more is there. Of each,
    those that the fewest records have lead to it: a state or a status is in all of them.

    Args:
        answers: The answers, oldest first.
    """

    def __init__(self, answers: Iterable[SeenRequest]) -> None:
        self._first: dict[frozenset[str], tuple[int, SeenRequest]] = {}
        for number, seen in enumerate(answers):
            for values in map(frozenset, _records(seen)):
                if len(values) >= _FEWEST:
                    self._first.setdefault(values, (number, seen))
        counts = Counter(value for values in self._first for value in values)
        self._leads = defaultdict[str, list[frozenset[str]]](list)
        for values in self._first:
            rarest = sorted(values, key=lambda value: (counts[value], value))
            for value in rarest[: len(values) // _LACKING + 1]:
                self._leads[value].append(values)
        self._values = Literals(counts)

    def first_in(self, text: str) -> SeenRequest | None:
        """The first answer with a record of which nearly all values are in a text."""
        found = self._values.found_in(text)
        held = [
            self._first[values]
            for lead in found & self._leads.keys()
            for values in self._leads[lead]
            if len(values - found) <= len(values) // _LACKING
        ]
        return min(held, key=itemgetter(0))[1] if held else None


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
