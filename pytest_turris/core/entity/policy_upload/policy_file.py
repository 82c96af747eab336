"""Policy files: their columns, and the errors in a row.

Required columns, transaction types, date formats, "unrecognized headers are rejected" and the
message for a missing field are documented (policies/upload-policy-file, get-upload-status); that
the other columns are the members of a policy, and the remaining messages, are assumed.
"""

import datetime as dt
import itertools
import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic.alias_generators import to_camel

from pytest_turris.core.entity.policy_upload.spreadsheet import (
    SheetRow,
    TooLargeFileError,
    UnreadableFileError,
    read_csv,
    read_xlsx,
)
from pytest_turris.core.resources.policies import OPTIONAL_MEMBERS, Policy, TransactionType
from pytest_turris.core.wire.errors import InvalidInput
from pytest_turris.core.wire.model import StateCode
from pytest_turris.core.wire.multipart import FormFile

REQUIRED = ("policyNumber", "riskStateCode", "policyTransactionType", "policyTransactionDate")
AGENCY_IDENTIFIERS = (
    "agencyName", "agencyNpn", "agencyFein", "agencyLicenseNumber", "producerCode",
)  # fmt: skip
"""At least one is needed; the documented list is cut off after ``agencyNpn``."""
OPTIONAL = {Policy.model_fields[name].alias or to_camel(name): name for name in OPTIONAL_MEMBERS}
MAX_FILE_BYTES = 10 * 1024 * 1024
"""Documented: 10 MB."""

_MEDIA_TYPES = {
    "text/csv": "csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
_DATES = ("effectiveDate", "expiryDate", "policyTransactionDate")
_FORMATS = ("%Y-%m-%d", "%m/%d/%Y")
_EPOCH = dt.datetime(1899, 12, 30, tzinfo=dt.UTC)
_LAST_SERIAL = 2_958_465
_SERIAL = re.compile(r"[0-9]{1,7}")
_FIRST_OF_1904 = 1_462
_MAX_REPORTED = 20
"""The number of unknown headers in an error."""


def read_rows(file: FormFile, *, blank: bool = False) -> tuple[list[dict[str, str]], str]:
    """The data rows by header, and why the rest could not be read; empty if all were.

    With ``blank``, blank rows between others are rows, too.

    Raises:
        InvalidInput: It is neither CSV nor XLSX, too large, or a header is unknown, repeated or
            missing.
    """
    extension = file.name.lower().rpartition(".")[2]
    kind = extension if extension in ("csv", "xlsx") else _MEDIA_TYPES.get(file.media_type)
    if kind is None:
        raise InvalidInput("file must be a CSV (.csv) or Excel (.xlsx) file")
    try:
        table, serial_of_1904 = _table(file.content, kind)
        headers = _headers(next(filter(_has_text, table), []))
        if problems := list(_header_problems(headers)):
            raise InvalidInput(*problems)
        rows, broken = _read(table, headers, serial_of_1904)
    except UnreadableFileError as error:
        raise InvalidInput("file could not be read", reason=str(error)) from None
    while rows and not any(rows[-1].values()):
        rows.pop()
    return [row for row in rows if blank or any(row.values())], broken


def _table(content: bytes, kind: str) -> tuple[Iterator[SheetRow], int]:
    if kind == "csv":
        return read_csv(content), 0
    workbook = read_xlsx(content)
    return iter(workbook.rows), _FIRST_OF_1904 if workbook.counts_from_1904 else 0


def _has_text(row: SheetRow) -> bool:
    return any(cell.strip() for cell in row)


def _headers(row: SheetRow) -> list[str]:
    """The texts of the first row, which must match exactly (documented).

    The empty ones that a trailing comma makes do not count.
    """
    headers = list(row)
    while headers and not headers[-1]:
        headers.pop()
    return headers


def _read(
    table: Iterator[SheetRow], headers: list[str], serial_of_1904: int
) -> tuple[list[dict[str, str]], str]:
    rows: list[dict[str, str]] = []
    try:
        for cells in table:
            row = _by_header(headers, cells)
            rows.append(row | _dates_of_1900(row, serial_of_1904) if serial_of_1904 else row)
    except TooLargeFileError:
        raise
    except UnreadableFileError as error:
        return rows, str(error)
    return rows, ""


def _dates_of_1900(row: dict[str, str], serial_of_1904: int) -> dict[str, str]:
    """The serial numbers of dates, counted as most workbooks count them."""
    return {
        header: str(int(row[header]) + serial_of_1904)
        for header in _DATES
        if _SERIAL.fullmatch(row.get(header, ""))
    }


def problem(row: dict[str, str]) -> str:
    """The first error in a row; empty if the row is valid."""
    return next(_problems(row), "")


def policy_members(row: dict[str, str]) -> dict[str, Any]:
    """The members of a policy in a valid row, besides its number."""
    found: dict[str, Any] = {"risk_state_code": row["riskStateCode"]}
    for header, name in OPTIONAL.items():
        if text := row.get(header, ""):
            found[name] = _converted(header, text)
    return found


def transaction(row: dict[str, str]) -> dict[str, Any]:
    """The transaction in a valid row."""
    return {"type": row["policyTransactionType"], "date": as_date(row["policyTransactionDate"])}


def as_date(text: str) -> dt.datetime:
    """A date such as ``2025-01-15``, ``01/15/2025`` or a spreadsheet's serial number.

    Raises:
        ValueError: It is in none of these formats.
    """
    for form in _FORMATS:
        try:
            return dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
    serial = float(text)
    if not 1 <= serial <= _LAST_SERIAL:
        raise ValueError(f"{text!r} is not a date")
    return _EPOCH + dt.timedelta(days=int(serial))


def _by_header(headers: list[str], row: SheetRow) -> dict[str, str]:
    cells = itertools.zip_longest(headers, row[: len(headers)], fillvalue="")
    return {header: cell.strip() for header, cell in cells}


def _header_problems(headers: list[str]) -> Iterator[str]:
    known = dict.fromkeys((*REQUIRED, *AGENCY_IDENTIFIERS, *OPTIONAL))
    unknown = (header for header in dict.fromkeys(headers) if header not in known)
    for header in itertools.islice(unknown, _MAX_REPORTED):
        yield f"Unrecognized header: {header[:64]}"
    for header in known:
        if headers.count(header) > 1:
            yield f"Duplicate header: {header}"
    for header in REQUIRED:
        if header not in headers:
            yield f"Missing required header: {header}"
    if not set(AGENCY_IDENTIFIERS) & set(headers):
        yield f"At least one agency identifier is required: {', '.join(AGENCY_IDENTIFIERS)}"


def _problems(row: dict[str, str]) -> Iterator[str]:
    for name in REQUIRED:
        if not row[name]:
            yield f"Missing required field: {name}"  # documented
    if not any(row.get(name) for name in AGENCY_IDENTIFIERS):
        yield "Missing agency identifier"
    if row["riskStateCode"] not in get_args(StateCode):
        yield "Invalid riskStateCode"
    if row["policyTransactionType"] not in get_args(TransactionType):
        yield "Invalid policyTransactionType"
    for header in (*_DATES, *OPTIONAL):
        if row.get(header) and not _fits(header, row[header]):
            yield f"Invalid {header}"


def _fits(header: str, text: str) -> bool:
    try:
        value = _converted(header, text)
    except (ValueError, OverflowError):
        return False
    return not isinstance(value, float) or abs(value) < float("inf")


def _converted(header: str, text: str) -> str | float | dt.datetime:
    if header in _DATES:
        return as_date(text)
    if header.endswith("InUSD"):
        number = float(text.replace(",", "").removeprefix("$"))
        return int(number) if number.is_integer() else number
    return text
