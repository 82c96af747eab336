"""``turris-audit.toml``: what only people can state, and findings that they accept."""

import datetime as dt
import fnmatch
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pytest_turris.audit.checklist import CHECKLIST
from pytest_turris.audit.evidence import Spotted
from pytest_turris.audit.scans.checks import SCANS
from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.text.names import did_you_mean
from pytest_turris.process.reading.input_file import read_input
from pytest_turris.process.reading.user_documents import DocumentError, toml_of_user

FILE_NAME = "turris-audit.toml"
_SCANS = frozenset(check.id for check in SCANS)


class DeclarationError(TurrisKitError, ValueError):
    """The file ``turris-audit.toml`` cannot be read as such."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attestation:
    """What a person says about a line of the checklist.

    Args:
        line: The id of the line.
        statement: How it is done.
        owner: Who says so.
        date: When they said it.
        review_by: The last day on which it counts.
    """

    line: str
    statement: str
    owner: str
    date: dt.date
    review_by: dt.date

    def is_overdue(self, today: dt.date) -> bool:
        """Whether its review is due."""
        return today > self.review_by


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiver:
    """Findings that are accepted for a time.

    Args:
        rule: The id of the check.
        place: A pattern for the path, such as ``src/*.py``; after ``::`` one for the function.
        reason: Why.
        owner: Who accepts it.
        expires: The last day.
    """

    rule: str
    place: str
    reason: str
    owner: str
    expires: dt.date

    def is_expired(self, today: dt.date) -> bool:
        """Whether it has expired."""
        return today > self.expires

    def covers(self, spotted: Spotted) -> bool:
        """Whether it is about a finding."""
        path, _, symbol = self.place.partition("::")
        place = spotted.place
        return (
            self.rule == spotted.check
            and fnmatch.fnmatchcase(place.path, path)
            and (not symbol or fnmatch.fnmatchcase(place.symbol, symbol))
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowed:
    """What a scan may find in a place: it is not what it looks like.

    Args:
        rule: The id of the check, such as ``FE-04``.
        place: A pattern for the path, such as ``tests/*``.
        reason: Why.
    """

    rule: str
    place: str
    reason: str

    def covers(self, spotted: Spotted) -> bool:
        """Whether it is about a finding."""
        path = spotted.place.path
        return self.rule == spotted.check and fnmatch.fnmatchcase(path, self.place)


@dataclass(frozen=True, kw_only=True, slots=True)
class Declarations:
    """The content of the file; all empty where there is none.

    Args:
        attested: What people say about lines of the checklist.
        waived: The findings that are accepted.
        loggers: The names of the loggers that keep the audit log.
        log_files: The files that keep it, relative to the file's directory.
        scanned: The files and directories to scan, relative to the file's directory.
        allowed: What a scan may find.
    """

    attested: tuple[Attestation, ...] = ()
    waived: tuple[Waiver, ...] = ()
    loggers: tuple[str, ...] = ()
    log_files: tuple[str, ...] = ()
    scanned: tuple[str, ...] = ()
    allowed: tuple[Allowed, ...] = ()

    @classmethod
    def read(cls, path: Path, known: Callable[[], Iterator[str]]) -> Self:
        """Read a file; nothing is declared if it does not exist.

        Args:
            path: The file.
            known: Gives the ids of all checks.

        Raises:
            DeclarationError: It cannot be read, is not TOML, or an entry misses something or has an
                unknown name.
        """
        if not path.exists():
            return cls()
        try:
            document = toml_of_user(read_input(path))
        except DocumentError as error:
            raise DeclarationError(f"{path.name}: not TOML: {error}") from None
        except OSError as error:
            reason = error.strerror or error
            raise DeclarationError(f"{path.name}: cannot read it: {reason}") from None
        return cls(**_Reader(path.name, frozenset(known())).declarations(document))


class _Reader:
    """Checks each entry, so that a mistake is reported and never passed over."""

    def __init__(self, name: str, checks: frozenset[str]) -> None:
        self._name = name
        self._checks = checks

    def declarations(self, document: dict[str, Any]) -> dict[str, Any]:
        """The fields of ``Declarations``."""
        self._only(document, "the file", ("attested", "waived", "log", "scan", "allowed"))
        log, scan = self._table(document, "log"), self._table(document, "scan")
        self._only(log, "[log]", ("logger", "file"))
        self._only(scan, "[scan]", ("path",))
        return {
            "attested": tuple(map(self._attestation, self._rows(document, "attested"))),
            "waived": tuple(map(self._waiver, self._rows(document, "waived"))),
            "loggers": self._texts(log, "logger"),
            "log_files": self._texts(log, "file"),
            "scanned": self._texts(scan, "path"),
            "allowed": tuple(map(self._allowed, self._rows(document, "allowed"))),
        }

    def _attestation(self, row: dict[str, Any]) -> Attestation:
        where = "[[attested]]"
        self._only(row, where, ("line", "statement", "owner", "date", "review-by"))
        line = self._known(self._text(row, where, "line"), CHECKLIST, where)
        repeats = " and ".join(CHECKLIST[line].repeats)
        self._require(not repeats, f"{where}: {line} repeats {repeats}; attest that")
        return Attestation(
            line=line,
            statement=self._text(row, where, "statement"),
            owner=self._text(row, where, "owner"),
            date=self._date(row, where, "date"),
            review_by=self._date(row, where, "review-by"),
        )

    def _waiver(self, row: dict[str, Any]) -> Waiver:
        where = "[[waived]]"
        self._only(row, where, ("rule", "place", "reason", "owner", "expires"))
        return Waiver(
            rule=self._known(self._text(row, where, "rule"), self._checks, where),
            place=self._text(row, where, "place"),
            reason=self._text(row, where, "reason"),
            owner=self._text(row, where, "owner"),
            expires=self._date(row, where, "expires"),
        )

    def _allowed(self, row: dict[str, Any]) -> Allowed:
        where = "[[allowed]]"
        self._only(row, where, ("rule", "place", "reason"))
        return Allowed(
            rule=self._known(self._text(row, where, "rule"), _SCANS, where),
            place=self._text(row, where, "place"),
            reason=self._text(row, where, "reason"),
        )

    def _rows(self, document: dict[str, Any], name: str) -> list[dict[str, Any]]:
        rows = document.get(name, [])
        is_list = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        self._require(is_list, f"write each entry below [[{name}]]")
        return list(rows)

    def _table(self, document: dict[str, Any], name: str) -> dict[str, Any]:
        table = document.get(name, {})
        self._require(isinstance(table, dict), f"[{name}] is not a table")
        return dict(table)

    def _texts(self, table: dict[str, Any], name: str) -> tuple[str, ...]:
        value = table.get(name, [])
        texts = [value] if isinstance(value, str) else value
        is_texts = isinstance(texts, list) and all(isinstance(text, str) for text in texts)
        self._require(is_texts, f"{name} is a text or a list of texts")
        return tuple(texts)

    def _text(self, row: dict[str, Any], where: str, name: str) -> str:
        value = row.get(name)
        self._require(
            isinstance(value, str) and bool(value.strip()), f"an entry of {where} needs {name!r}"
        )
        return str(value)

    def _date(self, row: dict[str, Any], where: str, name: str) -> dt.date:
        value = row.get(name)
        is_date = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
        self._require(is_date, f"an entry of {where} needs {name!r}, a date such as 2027-06-30")
        return value  # type: ignore[return-value] # required above

    def _known(self, id_: str, known: Any, where: str) -> str:  # noqa: ANN401 - any collection of ids
        self._require(id_ in known, f"{where}: there is no {id_!r}{did_you_mean(id_, known)}")
        return id_

    def _only(self, row: dict[str, Any], where: str, names: tuple[str, ...]) -> None:
        for name in row:
            self._require(
                name in names, f"{where} has an unknown {name!r}{did_you_mean(name, names)}"
            )

    def _require(self, condition: bool, words: str) -> None:  # noqa: FBT001 - reads as a sentence
        if not condition:
            raise DeclarationError(f"{self._name}: {words}")
