"""Tables in files: CSV, and XLSX, which is a ZIP archive of XML (ECMA-376, part 1, section 18).

Only the cell texts of the first sheet are read: no formulas, no formats. The unpacked size is
bounded, and XML with a document type is refused, so that ZIP bombs and entity bombs do no harm.
"""

import codecs
import csv
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring

_MOST_UNPACKED = 64 * 1024 * 1024
_MOST_COLUMNS = 1_024
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_COLUMN = re.compile(r"[A-Z]{1,3}")

Row = list[str]


class UnreadableFileError(ValueError):
    """The file holds no readable table; the message says why."""


def read_csv(content: bytes) -> Iterator[Row]:
    """The rows of a CSV file in UTF-8, blank ones left out.

    Raises:
        UnreadableFileError: While iterating: not UTF-8, or a cell over 128 KiB.
    """
    # Line by line, so that an error further down does not hide the headers.
    lines = (line.decode() for line in io.BytesIO(content.removeprefix(codecs.BOM_UTF8)))
    try:
        for row in csv.reader(lines):
            if any(cell.strip() for cell in row):
                yield row
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFileError(f"not a CSV file in UTF-8: {error}") from None


def read_xlsx(content: bytes) -> Iterator[Row]:
    """The rows of an XLSX file's first sheet, blank ones left out. Dates come as serial numbers.

    Raises:
        UnreadableFileError: While iterating: not an XLSX file, or too large once unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            strings = _shared_strings(archive)
            sheet = _xml(archive, _first_sheet(archive))
            for row in sheet.iter(f"{_MAIN}row"):
                cells = _cells(row, strings)
                if any(cell.strip() for cell in cells):
                    yield cells
    except (
        zipfile.BadZipFile,
        zlib.error,
        ParseError,
        LookupError,
        NotImplementedError,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:
        raise UnreadableFileError(f"not an XLSX file: {type(error).__name__}") from None


def _xml(archive: zipfile.ZipFile, name: str) -> Element:
    with archive.open(name) as member:
        text = member.read(_MOST_UNPACKED + 1)
    if len(text) > _MOST_UNPACKED:
        raise ValueError("too large")
    if b"<!DOCTYPE" in text[:4_096] or b"<!ENTITY" in text:
        raise ValueError("a document type")
    return fromstring(text)  # noqa: S314 - no document type, so no entities, and bounded above


def _first_sheet(archive: zipfile.ZipFile) -> str:
    book = _xml(archive, "xl/workbook.xml")
    first = next(book.iter(f"{_MAIN}sheet")).get(_RELATION)
    for relation in _xml(archive, "xl/_rels/workbook.xml.rels"):
        if relation.get("Id") == first:
            return posixpath.normpath(posixpath.join("/xl", relation.attrib["Target"]))[1:]
    raise KeyError(first)


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    return [_text(item) for item in _xml(archive, "xl/sharedStrings.xml").iter(f"{_MAIN}si")]


def _cells(row: Element, strings: list[str]) -> Row:
    cells: Row = []
    for cell in row.iter(f"{_MAIN}c"):
        column = _column(cell.get("r", "")) if cell.get("r") else len(cells)
        if column >= _MOST_COLUMNS:
            raise ValueError("too many columns")
        cells += [""] * (column + 1 - len(cells))
        cells[column] = _value(cell, strings)
    return cells


def _column(reference: str) -> int:
    letters = _COLUMN.match(reference)
    if letters is None:
        raise ValueError("a cell without a column")
    number = 0
    for letter in letters[0]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _value(cell: Element, strings: list[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return _text(cell)
    value = cell.findtext(f"{_MAIN}v") or ""
    return strings[int(value)] if kind == "s" and value else value


def _text(item: Element) -> str:
    return "".join(part.text or "" for part in item.iter(f"{_MAIN}t"))
