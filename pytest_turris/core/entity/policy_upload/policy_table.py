"""The rows of a policy file, by header. Apart from what a row means: spreadsheets import much."""

import itertools
import re
from collections.abc import Iterator

from pytest_turris.core.entity.policy_upload.policy_file import (
    AGENCY_IDENTIFIERS,
    COLUMNS,
    DATES,
    POLICY_PAGE,
    REQUIRED,
)
from pytest_turris.core.entity.policy_upload.spreadsheet import (
    SheetRow,
    TooLargeFileError,
    UnreadableFileError,
    read_csv,
    read_xlsx,
)
from pytest_turris.core.text.docs_links import page
from pytest_turris.core.wire.errors import InvalidInput
from pytest_turris.core.wire.multipart import FormFile

_MEDIA_TYPES = {
    "text/csv": "csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
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
            reason = f"{'; '.join(problems)}; the columns are on {page(POLICY_PAGE)}"
            raise InvalidInput(*problems, reason=reason)
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
        for header in DATES
        if _SERIAL.fullmatch(row.get(header, ""))
    }


def _by_header(headers: list[str], row: SheetRow) -> dict[str, str]:
    cells = itertools.zip_longest(headers, row[: len(headers)], fillvalue="")
    return {header: cell.strip() for header, cell in cells}


def _header_problems(headers: list[str]) -> Iterator[str]:
    unknown = (header for header in dict.fromkeys(headers) if header not in COLUMNS)
    for header in itertools.islice(unknown, _MAX_REPORTED):
        yield f"Unrecognized header: {header[:64]}"
    for header in COLUMNS:
        if headers.count(header) > 1:
            yield f"Duplicate header: {header}"
    for header in REQUIRED:
        if header not in headers:
            yield f"Missing required header: {header}"
    if not set(AGENCY_IDENTIFIERS) & set(headers):
        yield f"At least one agency identifier is required: {', '.join(AGENCY_IDENTIFIERS)}"
