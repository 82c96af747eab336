"""The tables in CSV and XLSX files, within a budget of rows and columns."""

import codecs
import csv
import io
from collections.abc import Iterator

from pytest_turris.core.entity.policy_upload.workbook import (
    MAX_COLUMNS,
    MAX_ROWS,
    Workbook,
    WorkbookError,
    read_workbook,
)

SheetRow = list[str]


class UnreadableFileError(ValueError):
    """The file holds no readable table; the message says why."""


class TooLargeFileError(UnreadableFileError):
    """The table has more rows or columns than the sandbox reads."""


def read_csv(content: bytes) -> Iterator[SheetRow]:
    """The rows of a CSV file in UTF-8, blank ones included.

    Raises:
        UnreadableFileError: While iterating: not UTF-8, or a cell over 128 KiB.
        TooLargeFileError: While iterating: too many rows or columns.
    """
    # Line by line, so that an error further down does not hide the headers.
    lines = (line.decode() for line in io.BytesIO(content.removeprefix(codecs.BOM_UTF8)))
    try:
        for number, row in enumerate(csv.reader(lines)):
            if number > MAX_ROWS:
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
