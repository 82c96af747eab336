"""The tables in CSV and XLSX files, within a budget of rows and columns."""

import codecs
import csv
import io
from collections.abc import Iterator

from pytest_turris.core.entity.policy_upload.workbook import (
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_TABLE_ROWS,
    Workbook,
    WorkbookError,
    read_workbook,
)

SheetRow = list[str]

MAX_ROW_BYTES = 1024 * 1024
"""The parser makes all cells of a line before any of them can be counted."""


class UnreadableFileError(ValueError):
    """The file holds no readable table; the message says why."""


class TooLargeFileError(UnreadableFileError):
    """The table has more rows or columns than the sandbox reads."""


def read_csv(content: bytes) -> Iterator[SheetRow]:
    """The rows of a CSV file in UTF-8, blank ones included.

    Raises:
        UnreadableFileError: While iterating: not UTF-8, or a cell over 128 KiB.
        TooLargeFileError: While iterating: too many rows or columns, or too long a row.
    """
    row_bytes = 0

    def lines() -> Iterator[str]:
        # Line by line, so that an error further down does not hide the headers.
        nonlocal row_bytes
        for line in io.BytesIO(content.removeprefix(codecs.BOM_UTF8)):
            row_bytes += len(line)
            if row_bytes > MAX_ROW_BYTES:
                raise TooLargeFileError(f"a row of more than {MAX_ROW_BYTES} bytes")
            yield line.decode()

    try:
        for number, row in enumerate(csv.reader(lines())):
            row_bytes = 0
            if number >= MAX_TABLE_ROWS:
                raise TooLargeFileError(f"more than {MAX_ROWS} rows")
            if len(row) > MAX_COLUMNS:
                raise TooLargeFileError(f"more than {MAX_COLUMNS} columns")
            yield row
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFileError(f"not a CSV file in UTF-8: {error}") from None


def read_xlsx(content: bytes) -> Workbook:
    """The first sheet of an XLSX file.

    Raises:
        UnreadableFileError: It is not an XLSX file, or exceeds the reader's budget.
    """
    try:
        return read_workbook(content)
    except WorkbookError as error:
        raise UnreadableFileError(f"not an XLSX file that can be read: {error}") from None
