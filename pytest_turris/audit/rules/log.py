"""The rules for an audit log: AU-1 to AU-4. Each request has its record, which shows no secret."""

import json
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from pytest_turris.audit.checks import OWN
from pytest_turris.audit.evidence import Evidence, Spotted
from pytest_turris.audit.leaks.literals import Literals
from pytest_turris.audit.places import CallSite, Place, PlaceFinder
from pytest_turris.audit.seen import SandboxRecord, SeenRequest
from pytest_turris.audit.spellings import SecretForms
from pytest_turris.findings.verdict import Finding

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_PERSONAL = frozenset(
    {"email", "npn", "fein", "ein", "ssn", "dateofbirth", "dob", "phone", "phonenumber"}
)
_SHORTEST = 5


@dataclass(frozen=True, slots=True)
class LogLine:
    """One record of an audit log: its message, all of its text, and who wrote it."""

    message: str
    text: str
    call: CallSite


class LogAudit:
    """Compares an audit log with what the sandbox saw.

    Args:
        evidence: Gets the findings.
        record: What the sandbox saw.
        lines: The records of the log, in their order.
        forms: The secrets of the test's sandboxes.
        finder: Makes places of calls.
    """

    def __init__(
        self,
        evidence: Evidence,
        record: SandboxRecord,
        lines: list[LogLine],
        forms: SecretForms,
        finder: PlaceFinder,
    ) -> None:
        self._evidence = evidence
        self._record = record
        self._lines = lines
        self._forms = forms
        self._finder = finder

    def judge(self) -> None:
        """Add what the four rules find."""
        unlogged, incomplete, answered = [], [], 0
        seen_all = self._record.seen
        for seen, line in _matched(seen_all, self._lines):
            if line is None:
                unlogged.append(self._spot("AU-1", seen, "no record", "a record of the request"))
                continue
            if seen.slow:
                continue
            answered += 1
            if missing := list(_missing(line, seen)):
                got = f"a record without {' and '.join(missing)}"
                incomplete.append(self._spot("AU-2", seen, got, "a record with both"))
        self._note("AU-1", len(seen_all), unlogged)
        self._note("AU-2", answered, incomplete)
        self._note("AU-3", len(self._lines), list(self._control_characters()))
        self._note("AU-4", len(self._lines), list(self._sensitive()))

    def _control_characters(self) -> Iterator[Spotted]:
        for line in self._lines:
            if found := _CONTROL.search(line.message):
                got = f"the character U+{ord(found[0]):04X} in a record"
                yield self._spot_line("AU-3", line, got, "one line of text")

    def _sensitive(self) -> Iterator[Spotted]:
        names: dict[str, set[str]] = {}
        for seen in self._record.seen:
            for name, value in personal_data(seen):
                names.setdefault(value, set()).add(name)
        personal = Literals(names)
        for line in self._lines:
            if kind := self._forms.find(line.text):
                yield self._spot_line("AU-4", line, f"{kind} in a record", "no secret", kind)
            for name in sorted({n for value in personal.found_in(line.text) for n in names[value]}):
                got = f"the {name} of a request in a record"
                yield self._spot_line("AU-4", line, got, "no personal data", name)

    def _note(self, check: str, times: int, spotted: list[Spotted]) -> None:
        once = {one.fingerprint: one for one in reversed(spotted)}
        self._evidence.note(check, times, once.values())

    def _spot(self, check_id: str, seen: SeenRequest, got: str, expected: str) -> Spotted:
        return self._spotted(check_id, self._record.place(seen), got, expected, seen=[seen])

    def _spot_line(
        self, check_id: str, line: LogLine, got: str, expected: str, kind: str = ""
    ) -> Spotted:
        place = self._finder.place(line.call, self._record.here)
        return self._spotted(check_id, place, got, expected, kind=kind)

    def _spotted(
        self,
        check_id: str,
        place: Place,
        got: str,
        expected: str,
        *,
        kind: str = "",
        seen: Sequence[SeenRequest] = (),
    ) -> Spotted:
        check = OWN[check_id]
        lines = self._record.lines(seen)
        finding = Finding(
            level=check.level, sent="".join(lines).partition("  ")[2], got=got, expected=expected,
            kind=kind, why=check.why, fix=check.fix,
        )  # fmt: skip
        return Spotted(
            check=check_id, finding=finding, place=place, test=self._evidence.test,
            exchanges=lines, numbers=tuple(one.in_journal for one in seen),
        )  # fmt: skip


def personal_data(seen: SeenRequest) -> Iterator[tuple[str, str]]:
    """Names and values of personal data in a request, but for what its path shows anyhow."""
    request = seen.request
    pairs = [*parse_qsl(request.query), *_members(_json(request.body))]
    for name, value in pairs:
        short = name.replace("_", "").replace("-", "").lower()
        known = next((one for one in _PERSONAL if short.endswith(one)), "")
        if known and len(value) >= _SHORTEST and value not in request.path:
            yield name, value


class _Untaken:
    """The records that are of no request yet, found by the texts that they have to contain.

    Args:
        lines: The records of the log, in their order.
        texts: All texts that they are asked for, but for methods.
    """

    def __init__(self, lines: list[LogLine], texts: Iterable[str]) -> None:
        self._lines = lines
        self._with = defaultdict[str, list[int]](list)
        self._queues: dict[tuple[str, ...], deque[int]] = {}
        self._taken: set[int] = set()
        literals = Literals(texts)
        for number, line in enumerate(lines):
            for text in literals.found_in(line.text):
                self._with[text].append(number)

    def take_about(self, seen: SeenRequest, request_id: str = "") -> LogLine | None:
        """Take the first with a request's method, its path or operation, and the id if given."""
        request = seen.request
        ways = (
            self._queue(request.method, *filter(None, (name, request_id)))
            for name in (request.path, seen.operation)
            if name
        )
        first = min((way[0] for way in ways if way), default=None)
        if first is None:
            return None
        self._taken.add(first)
        return self._lines[first]

    def _queue(self, method: str, *texts: str) -> deque[int]:
        """The numbers of the untaken records with a method and some texts."""
        key = (method, *texts)
        if key not in self._queues:
            rarest = min((self._with[text] for text in texts), key=len)
            numbers = (n for n in rarest if all(text in self._lines[n].text for text in key))
            self._queues[key] = deque(numbers)
        queue = self._queues[key]
        while queue and queue[0] in self._taken:
            queue.popleft()
        return queue


def _matched(
    seen_all: list[SeenRequest], lines: list[LogLine]
) -> list[tuple[SeenRequest, LogLine | None]]:
    """Each request with its record: that with its ``requestId``, else the first about such a one.

    Threads and tasks write their records in another order than that of the requests.
    """
    texts = (text for one in seen_all for text in _told_by(one))
    untaken = _Untaken(lines, texts)
    # A repeated write is answered with the requestId of the first, whose answer was lost.
    by_id = [
        untaken.take_about(seen, seen.request_id) if seen.shows_request_id else None
        for seen in seen_all
    ]
    return [
        (seen, line or untaken.take_about(seen)) for seen, line in zip(seen_all, by_id, strict=True)
    ]


def _told_by(seen: SeenRequest) -> tuple[str, ...]:
    """The texts by which a record is known to be about a request, but for the method."""
    return seen.request.path, seen.operation or "", seen.request_id


def _missing(line: LogLine, seen: SeenRequest) -> Iterator[str]:
    if seen.status and str(seen.status) not in line.text:
        yield "the status"
    if seen.shows_request_id and seen.request_id not in line.text:
        yield "the requestId"


def _json(body: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _members(document: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON of any shape
    if isinstance(document, dict):
        for name, value in document.items():
            if isinstance(value, str):
                yield name, value
            else:
                yield from _members(value)
    elif isinstance(document, list):
        for value in document:
            yield from _members(value)
