"""Readers of CSV, XLSX and multipart forms, with valid and with hostile files."""

import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.core.entity.spreadsheet import UnreadableFileError, read_csv, read_xlsx
from pytest_turris.core.wire.errors import InvalidInput
from pytest_turris.core.wire.multipart import FormFile, read_form

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
NAMED = b'--frontier\r\nContent-Disposition: form-data; name="a"'
FORM = "multipart/form-data; boundary=frontier"


def workbook(rows: str, head: str = "", relations: str = RELATIONS, strings: str = "") -> bytes:
    """An XLSX file with these rows as XML."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", BOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", relations)
        archive.writestr("xl/worksheets/sheet1.xml", head + SHEET.format(rows))
        if strings:
            archive.writestr("xl/sharedStrings.xml", STRINGS.format(strings))
    return file.getvalue()


def test_cells_keep_their_position() -> None:
    """Gaps are empty, inline texts are joined, blank rows left out."""
    rows = (
        '<row><c r="B1" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c>'
        '<c r="D1"><v>7</v></c></row><row><c r="A2"/></row>'
    )
    assert list(read_xlsx(workbook(rows))) == [["", "ab", "", "7"]]


def test_shared_strings_are_looked_up() -> None:
    """As Excel writes them; formatted runs of one string are joined."""
    strings = "<si><t>first</t></si><si><r><t>sec</t></r><r><t>ond</t></r></si>"
    row = '<row><c r="A1" t="s"><v>1</v></c><c r="B1" t="s"><v>0</v></c></row>'
    assert list(read_xlsx(workbook(row, strings=strings))) == [["second", "first"]]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 not really",
        zlib.compress(b"x"),
        workbook('<row><c r="A1" t="s"><v>5</v></c></row>'),
        workbook('<row><c r="ZZZ1"><v>5</v></c></row>'),
        workbook('<row><c r="1"><v>5</v></c></row>'),
        workbook("<row>"),
        workbook("<row/>", head='<!DOCTYPE b [<!ENTITY a "a">]>'),
        workbook("<row/>" + " " * (65 * 1024 * 1024)),
    ],
    ids=["empty", "broken zip", "no zip", "string 5 of 0", "far column", "no column", "no XML",
         "entities", "bomb"],
)  # fmt: skip
def test_other_files_are_not_read_as_a_workbook(content: bytes) -> None:
    """Every defect, bombs included, raises the same error."""
    with pytest.raises(UnreadableFileError):
        list(read_xlsx(content))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Neither reader raises anything else."""
    for read in (read_csv, read_xlsx):
        try:
            list(read(content))
        except UnreadableFileError:
            continue


def test_a_byte_order_mark_and_quoted_line_breaks() -> None:
    """They are read as spreadsheets export them."""
    assert list(read_csv(b'\xef\xbb\xbfa,b\r\n"x\ny",z\r\n')) == [["a", "b"], ["x\ny", "z"]]


@given(st.binary(max_size=300), st.text(max_size=20))
def test_a_form_gives_back_what_was_put_in(content: bytes, text: str) -> None:
    """Byte for byte, whatever the file is."""
    if b"\r\n--frontier" in b"\r\n" + content:
        return
    head = b'--frontier\r\nContent-Disposition: form-data; name="'
    body = head + b'file"; filename="a b.pdf"\r\nContent-Type: text/x\r\n\r\n' + content
    body += b"\r\n" + head + b'note"\r\n\r\n' + text.encode() + b"\r\n--frontier--\r\n"
    if "\r\n--frontier" not in "\r\n" + text:
        assert read_form(FORM, body) == {
            "file": FormFile("a b.pdf", "text/x", content),
            "note": text,
        }


@pytest.mark.parametrize(
    ("content_type", "body", "message"),
    [
        ("multipart/form-data", b"", "Multipart: Boundary not found"),
        (FORM, b"", "Unexpected end of form"),
        (FORM, b"--frontier\r\n\r\n\r\n", "Unexpected end of form"),
        (FORM, b"--frontier\r\n\r\nx\r\n--frontier--", "Malformed part header"),
        (FORM, b"--frontier\r\nContent-Disposition: x\r\n\r\nx\r\n--frontier--",
         "Malformed part header"),
        (FORM, NAMED + b"\r\n\r\n\xff\r\n--frontier--", "a must be UTF-8 text"),
        (FORM, b"--frontier\r\nA:b\r\n\r\n" * 200 + b"\r\n--frontier--", "Too many parts"),
    ],
)  # fmt: skip
def test_other_bodies_are_not_read_as_a_form(content_type: str, body: bytes, message: str) -> None:
    """With the messages of the parser behind NestJS."""
    with pytest.raises(InvalidInput, match=message):
        read_form(content_type, body)


@given(st.text(max_size=60), st.binary(max_size=200))
def test_any_form_is_read_or_refused(content_type: str, body: bytes) -> None:
    """Nothing else is raised."""
    for kind in (content_type, FORM):
        for form in (body, b"--frontier\r\n" + body + b"\r\n--frontier--"):
            try:
                read_form(kind, form)
            except InvalidInput:
                continue


def test_blank_rows_are_left_out() -> None:
    """Of CSV as of XLSX."""
    assert list(read_csv(b"a,b\r\n,\r\n\r\nc,d\r\n")) == [["a", "b"], ["c", "d"]]


def test_the_first_sheet_is_found_by_its_relation() -> None:
    """Wherever its relation is in the list; without one the file is unreadable."""
    row = '<row><c r="A1"><v>7</v></c></row>'
    relation = '<Relationship Id="{}" Target="{}"/>'
    other = relation.format("rId9", "styles.xml")
    found = other + relation.format("rId1", "worksheets/sheet1.xml")
    assert list(read_xlsx(workbook(row, relations=f"<Relationships>{found}</Relationships>")))
    with pytest.raises(UnreadableFileError, match="KeyError"):
        list(read_xlsx(workbook(row, relations=f"<Relationships>{other}</Relationships>")))
