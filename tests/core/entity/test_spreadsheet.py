"""Readers of CSV and XLSX files, with valid and with hostile ones."""

import contextlib
import io
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.core.entity.policy_upload.spreadsheet import (
    MAX_ROW_BYTES,
    TooLargeFileError,
    UnreadableFileError,
    read_csv,
    read_xlsx,
)
from pytest_turris.core.entity.policy_upload.workbook import MAX_ROWS, MAX_TABLE_ROWS, read_workbook

BOOK = """<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
 <sheets><sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>"""
RELATIONS = (
    '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>'
)
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>{}</sheetData></worksheet>"
)
STRINGS = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</sst>'


def workbook(
    rows: str, head: str = "", relations: str = RELATIONS, strings: str = "", book: str = BOOK
) -> bytes:
    """An XLSX file with these rows as XML."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", book)
        archive.writestr("xl/_rels/workbook.xml.rels", relations)
        archive.writestr("xl/worksheets/sheet1.xml", head + SHEET.format(rows))
        if strings:
            archive.writestr("xl/sharedStrings.xml", STRINGS.format(strings))
    return file.getvalue()


def test_cells_keep_their_position() -> None:
    """Gaps are empty, inline texts are joined, blank rows kept."""
    rows = (
        '<row><c r="B1" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c>'
        '<c r="D1"><v>7</v></c></row><row><c r="A2"/></row>'
    )
    assert read_xlsx(workbook(rows)).rows == [["", "ab", "", "7"], [""]]


def test_shared_strings_are_looked_up() -> None:
    """As Excel writes them; formatted runs of one string are joined."""
    strings = "<si><t>first</t></si><si><r><t>sec</t></r><r><t>ond</t></r></si>"
    row = '<row><c r="A1" t="s"><v>1</v></c><c r="B1" t="s"><v>0</v></c></row>'
    assert read_xlsx(workbook(row, strings=strings)).rows == [["second", "first"]]


CELL = '<c r="A1"><v>5</v></c>'
LONG = "x" * 30_000
PREFIXED = " ".join(f'p:a{number}="1"' for number in range(1_000))
ATTRIBUTES = " ".join(f'a{number}=""' for number in range(20_000))


def sheet_of(row: str, times: int) -> bytes:
    """A workbook of so many equal rows."""
    return workbook(f"<row>{row}</row>" * times)


def packed(compression: int) -> bytes:
    """A workbook whose archive uses another compression."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(f"<row>{CELL}</row>"))) as source,
        zipfile.ZipFile(file, "w", compression) as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return file.getvalue()


def in_utf_16() -> bytes:
    """A workbook whose sheet hides a document type from who looks for it in ASCII."""
    text = f'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE b []>{SHEET.format("<row/>")}'
    file = io.BytesIO(workbook(""))
    with zipfile.ZipFile(file, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the name is there twice; the last one counts
        archive.writestr("xl/worksheets/sheet1.xml", text.encode("utf-16"))
    return file.getvalue()


BROKEN = {
    "empty": b"",
    "broken zip": b"PK\x03\x04 not really",
    "no zip": zlib.compress(b"x"),
    "string 5 of 0": workbook('<row><c r="A1" t="s"><v>5</v></c></row>'),
    "no column": workbook('<row><c r="1"><v>5</v></c></row>'),
    "no XML": workbook("<row>"),
    "cut short": workbook(f"<row>{CELL}</row>")[:-40],
    "no sheets": workbook("", book=BOOK.replace("<sheet name", "<other name")),
}
BOMBS = {
    "far column": workbook('<row><c r="ZZZ1"><v>5</v></c></row>'),
    "document type": workbook("<row/>", head='<!DOCTYPE b [<!ENTITY a "a">]>'),
    "late document type": workbook("<row/>", head=f"{'<!-- x -->' * 1_000}<!DOCTYPE b []>"),
    "document type in UTF-16": in_utf_16(),
    "unpacked size": workbook("<row/>" + " " * (9 * 1024 * 1024)),
    "unpacked sizes added up": workbook(" " * 5_000_000, strings=" " * 5_000_000),
    "nested strings": workbook("<row/>", strings="<si>" * 40_000 + "</si>" * 40_000),
    "nested cells": workbook("<row>" * 40_000),
    "rows": sheet_of(CELL, MAX_TABLE_ROWS + 1),
    "empty cells": sheet_of('<c r="ALL1"><v>5</v></c>', 401),
    "cells of a row": workbook(f"<row>{'<c><v>1</v></c>' * 400_000}</row>"),
    "cells of a row without a text": workbook(f"<row>{'<c/>' * 400_000}</row>"),
    "cells in one column": workbook(f"<row>{CELL * 300_000}</row>"),
    "blank rows": sheet_of("", MAX_TABLE_ROWS + 1),
    "blank rows between rows": workbook(
        "".join(f'<row r="{20_000 * number}">{CELL}</row>' for number in range(1, 400))
    ),
    "blank rows between blank ones": workbook(
        "".join(f'<row r="{20_000 * number}"/>' for number in range(1, 400))
    ),
    "far row": workbook(f'<row r="{MAX_TABLE_ROWS + 1}">{CELL}</row>'),
    "row after a far one": workbook(f'<row r="1048576"/><row>{CELL}</row>'),
    "far row with many digits": workbook(f'<row r="{"9" * 5_000}">{CELL}</row>'),
    "long namespace": workbook(f'<a xmlns="{LONG}">{"<b/>" * 1_000}</a>'),
    "long namespace of a prefix": workbook(f'<a xmlns:p="{LONG}" {PREFIXED}/>'),
    "long namespace of a relation": workbook(
        "<row/>", relations=f'<Relationships xmlns="{LONG}"><Relationship/></Relationships>'
    ),
    "long namespace of strings": workbook("<row/>", strings=f'<si xmlns="{LONG}"/>'),
    "names of elements": workbook("".join(f"<b{number}/>" for number in range(100_000))),
    "names of attributes": workbook(f"<b {ATTRIBUTES}/>" * 30),
    "namespaces": workbook("".join(f'<b xmlns="{number}"/>' for number in range(100_000))),
    "long name": workbook(f"<{LONG * 20}/>"),
    "long value": workbook(f'<b a="{LONG * 20}"/>'),
    "long comment": workbook(f"<!--{LONG * 20}-->"),
    "characters": workbook(
        '<row><c t="s"><v>0</v></c></row>' * 600, strings=f"<si><t>{LONG}</t></si>"
    ),
    "members": b"PK\x01\x02" * 2_001,
    "bzip2": packed(zipfile.ZIP_BZIP2),
    "LZMA": packed(zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_broken_files_are_not_read_as_a_workbook(content: bytes) -> None:
    """Each defect raises the same error."""
    with pytest.raises(UnreadableFileError):
        read_xlsx(content)


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_a_file_that_exceeds_a_budget_is_refused(content: bytes) -> None:
    """Few bytes that claim much cost a bounded time and memory, and are never read in part."""
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFileError):
            read_xlsx(content)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_the_elements_of_all_members_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs time, however short it is, and whatever it is called."""
    content = workbook("<b/>" * 600, strings="<b/>" * 600)
    assert read_xlsx(content).rows == []
    monkeypatch.setattr(f"{read_workbook.__module__}._MAX_ELEMENTS", 1_000)
    with pytest.raises(UnreadableFileError, match="more than 1000 XML elements"):
        read_xlsx(content)


@pytest.mark.parametrize("row", [b"a,b\n", b"\n"], ids=["filled", "blank"])
def test_a_csv_file_with_too_many_rows_is_refused(row: bytes) -> None:
    """Blank rows count."""
    with pytest.raises(TooLargeFileError, match=r"^more than 20000 rows$"):
        list(read_csv(row * (MAX_TABLE_ROWS + 1)))


TABLES: dict[str, Callable[[int], list[list[str]]]] = {
    "CSV": lambda rows: list(read_csv(b"5\n" * rows)),
    "XLSX": lambda rows: read_xlsx(sheet_of(CELL, rows)).rows,
    "XLSX with numbers": lambda rows: (
        read_xlsx(workbook(f'<row r="1">{CELL}</row><row r="{rows}">{CELL}</row>')).rows
    ),
}


@pytest.mark.parametrize("rows_of", TABLES.values(), ids=TABLES)
def test_each_kind_of_file_has_a_header_and_as_many_rows(
    rows_of: Callable[[int], list[list[str]]],
) -> None:
    """The same table is read from either, and one row more from neither."""
    assert len(rows_of(1 + MAX_ROWS)) == 1 + MAX_ROWS
    with pytest.raises(UnreadableFileError, match=f"more than {MAX_ROWS} rows"):
        rows_of(2 + MAX_ROWS)


def test_a_csv_file_with_too_many_columns_is_refused() -> None:
    """A megabyte of commas is not a row."""
    with pytest.raises(TooLargeFileError, match=r"^more than 1024 columns$"):
        list(read_csv(b"," * 1_000_000))


@pytest.mark.parametrize("part", [b",", b'"\n",'], ids=["in one line", "in many lines"])
def test_a_csv_file_with_a_long_row_is_refused(part: bytes) -> None:
    """Before its cells are made, which take many times as much memory."""
    content = b"a,b\n" + part * (10_000_000 // len(part))
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeFileError, match=f"^a row of more than {MAX_ROW_BYTES} bytes$"):
            list(read_csv(content))
        assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_the_length_of_each_csv_row_is_its_own() -> None:
    """A file of many rows may be as long as Turris allows."""
    row = ["x" * 100_000] * 2
    assert list(read_csv(f"{','.join(row)}\n".encode() * 20)) == [row] * 20


def test_dates_of_both_systems_and_in_iso_8601() -> None:
    """Which day is 1 is a property of the workbook; a cell of type ``d`` has a date of its own."""
    row = '<row><c r="A1" t="d"><v>2025-01-15T00:00:00</v></c></row>'
    assert read_xlsx(workbook(row)).rows == [["2025-01-15"]]
    assert not read_xlsx(workbook(row)).counts_from_1904
    book = BOOK.replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    assert read_xlsx(workbook(row, book=book)).counts_from_1904


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Neither reader raises anything else."""
    for read in (lambda: list(read_csv(content)), lambda: read_xlsx(content)):
        with contextlib.suppress(UnreadableFileError):
            read()


def test_a_byte_order_mark_and_quoted_line_breaks() -> None:
    """They are read as spreadsheets export them."""
    assert list(read_csv(b'\xef\xbb\xbfa,b\r\n"x\ny",z\r\n')) == [["a", "b"], ["x\ny", "z"]]


def test_blank_rows_keep_their_place() -> None:
    """Of CSV as of XLSX, which leaves them out and numbers the others."""
    assert list(read_csv(b"a,b\r\n,\r\n\r\nc,d\r\n")) == [["a", "b"], ["", ""], [], ["c", "d"]]
    rows = '<row r="3"><c r="A3"><v>1</v></c></row><row r="x"><c><v>2</v></c></row>'
    assert read_xlsx(workbook(rows)).rows == [[], [], ["1"], ["2"]]


def test_blank_rows_at_the_end_of_the_grid_are_left_out() -> None:
    """LibreOffice writes them if they have a height or a format; they cost nothing."""
    ends = "".join(f'<row r="{number}"><c s="1"/></row>' for number in range(1_048_570, 1_048_577))
    rows = f'<row r="1">{CELL}</row><row r="{MAX_TABLE_ROWS}">{CELL}</row>{ends}'
    found = read_xlsx(workbook(rows)).rows
    assert (len(found), found[0], found[-1]) == (MAX_TABLE_ROWS, ["5"], ["5"])


def test_a_prefix_may_stand_for_the_namespace() -> None:
    """As Open XML SDK writes workbooks; another namespace of the same names is not read."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    row = f'<p:row xmlns:p="{main}"><p:c r="A1"><p:v>7</p:v></p:c></p:row>'
    other = '<p:row xmlns:p="urn:other"><p:c r="A1"><p:v>8</p:v></p:c></p:row>'
    assert read_xlsx(workbook(row + other)).rows == [["7"]]


def test_a_string_within_a_string_is_kept_once() -> None:
    """Nested 14 deep, a text of 7 MB would be kept 14 times."""
    strings = f"{'<si>' * 13}<t>{LONG * 130}</t>{'</si>' * 13}"
    tracemalloc.start()
    try:
        read_xlsx(workbook(f"<row>{CELL}</row>", strings=strings))
        assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_the_first_sheet_is_found_by_its_relation() -> None:
    """Wherever its relation is in the list; without one the file is unreadable."""
    row = '<row><c r="A1"><v>7</v></c></row>'
    relation = '<Relationship Id="{}" Target="{}"/>'
    other = relation.format("rId9", "styles.xml")
    found = other + relation.format("rId1", "worksheets/sheet1.xml")
    assert read_xlsx(workbook(row, relations=f"<Relationships>{found}</Relationships>")).rows
    with pytest.raises(UnreadableFileError, match="KeyError"):
        read_xlsx(workbook(row, relations=f"<Relationships>{other}</Relationships>"))
