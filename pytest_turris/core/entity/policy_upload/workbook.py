"""XLSX files: ZIP archives of XML (ECMA-376, part 1, section 18). Reads cell texts, no formats.

The XML is read as a stream, within a budget of bytes, elements, names, depth, rows, cells and
characters, so that time and memory do not depend on what the file claims. No library is used: a
sheet of two far cells, 1.5 kB, ends a process that reads it with python-calamine (0.9), and
openpyxl (3.1) keeps all shared strings in memory, without a limit.
"""

import contextlib
import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

MAX_CELLS = 400_000
"""The cells of the table, with the empty ones before the last of each row."""
MAX_COLUMNS = 1_024
"""Also the cells of a row, which need not say in which column they are, or may say it twice."""
MAX_ROWS = 20_000
"""Below the header, blank rows included."""
MAX_TABLE_ROWS = MAX_ROWS + 1
"""With the header."""

_MAX_UNPACKED = 8 * 1024 * 1024
_MAX_TEXT = 16 * 1024 * 1024
_MAX_DEPTH = 16
_MAX_MEMBERS = 2_000
_MAX_ELEMENTS = 1_000_000
_MAX_NAMES = 2_000
"""The different names of elements, attributes and namespaces in one member."""
_MAX_URI = 256
"""The parser puts the URI of its namespace before each name of an element or attribute."""
_MAX_TAG = 256 * 1024
"""What the parser keeps until a tag or comment ends. It looks through that again and again."""
_CHUNK = 64 * 1024
_MEMBER_HEAD = b"PK\x01\x02"
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main "
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships id"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_STRINGS = "xl/sharedStrings.xml"
_COLUMN = re.compile(r"[A-Z]{1,3}")
_TRUE = ("1", "true")

Attributes = dict[str, str]


class WorkbookError(ValueError):
    """The file is not a workbook that can be read within the budget; the message says why."""


@dataclass
class Workbook:
    """The first sheet of a workbook.

    Dates are serial numbers, counted from 1904 in some workbooks, or ``2025-01-15``.
    """

    rows: list[list[str]] = field(default_factory=list)
    counts_from_1904: bool = False


def read_workbook(content: bytes) -> Workbook:
    """Read the first sheet of an XLSX file.

    Raises:
        WorkbookError: It is not an XLSX file, or exceeds the budget.
    """
    if content.count(_MEMBER_HEAD) > _MAX_MEMBERS:
        raise WorkbookError("too many members")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _Reader(archive).read()
    except WorkbookError:
        raise
    except Exception as error:  # noqa: BLE001 - the parsers raise many kinds of errors on hostile files
        raise WorkbookError(type(error).__name__) from None


class _Reader:
    """Reads the members of one archive that the first sheet consists of."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._unpacked = 0
        self._elements = 0
        self._workbook = Workbook()

    def read(self) -> Workbook:
        sheets: list[str] = []

        def workbook(name: str, attributes: Attributes) -> None:
            if name == f"{_MAIN}sheet":
                sheets.append(attributes[_RELATION])
            elif name == f"{_MAIN}workbookPr":
                self._workbook.counts_from_1904 = attributes.get("date1904") in _TRUE

        targets: dict[str, str] = {}

        def relation(_: str, attributes: Attributes) -> None:
            if "Id" in attributes:
                targets[attributes["Id"]] = attributes["Target"]

        self._parse("xl/workbook.xml", workbook)
        self._parse(_RELATIONS, relation)
        strings = _Strings()
        with contextlib.suppress(KeyError):  # a workbook of numbers has none
            self._parse(_STRINGS, strings.start, strings.end, strings.text)
        sheet = _Sheet(strings.found)
        member = posixpath.normpath(posixpath.join("/xl", targets[sheets[0]]))[1:]
        self._parse(member, sheet.start, sheet.end, sheet.text)
        self._workbook.rows = sheet.rows
        return self._workbook

    def _parse(
        self,
        member: str,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], None] = lambda _: None,
        text: Callable[[str], None] = lambda _: None,
    ) -> None:
        depth = 0
        names: dict[str, str] = {}

        def enter(name: str, attributes: Attributes) -> None:
            nonlocal depth
            depth += 1
            self._elements += 1
            if depth > _MAX_DEPTH:
                raise WorkbookError("XML elements are nested too deeply")
            if self._elements > _MAX_ELEMENTS:
                raise WorkbookError(f"more than {_MAX_ELEMENTS} XML elements")
            if len(names) > _MAX_NAMES:
                raise WorkbookError(f"more than {_MAX_NAMES} XML names")
            start(name, attributes)

        def leave(name: str) -> None:
            nonlocal depth
            depth -= 1
            end(name)

        parser = expat.ParserCreate("UTF-8", " ", names)
        parser.buffer_text = True
        parser.StartElementHandler = enter
        parser.EndElementHandler = leave
        parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartNamespaceDeclHandler = _refuse_long_uri
        given = 0
        for chunk in self._chunks(member):
            parser.Parse(chunk)
            given += len(chunk)
            if given - parser.CurrentByteIndex > _MAX_TAG:
                raise WorkbookError(f"an XML tag of more than {_MAX_TAG} bytes")
        parser.Parse(b"", True)  # noqa: FBT003 - the standard library's own signature

    def _chunks(self, member: str) -> Iterator[bytes]:
        info = self._archive.getinfo(member)
        if info.compress_type not in _COMPRESSIONS:
            raise WorkbookError("an unusual compression")  # zipfile would unpack it whole
        with self._archive.open(info) as file:
            while chunk := file.read(_CHUNK):
                self._unpacked += len(chunk)
                if self._unpacked > _MAX_UNPACKED:
                    raise WorkbookError(f"more than {_MAX_UNPACKED} bytes when unpacked")
                yield chunk


class _Strings:
    """The shared strings: the texts of the ``t`` elements of each ``si``."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._parts: list[str] = []
        self._inside = False

    def start(self, name: str, _: Attributes) -> None:
        if name == f"{_MAIN}si":
            self._parts = []
        self._inside = name == f"{_MAIN}t"

    def end(self, name: str) -> None:
        self._inside = False
        if name == f"{_MAIN}si":
            self.found.append("".join(self._parts))
            self._parts = []  # a string around this one does not repeat it

    def text(self, text: str) -> None:
        if self._inside:
            self._parts.append(text)


class _Sheet:
    """The rows of a sheet, with the blank ones that the file leaves out between them."""

    def __init__(self, strings: list[str]) -> None:
        self.rows: list[list[str]] = []
        self._strings = strings
        self._row: list[str] = []
        self._count = 0
        self._place = 0
        self._cells = 0
        self._cells_of_row = 0
        self._characters = 0
        self._column = 0
        self._kind = "n"
        self._parts: list[str] = []
        self._inside = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == f"{_MAIN}row":
            self._row = []
            self._cells_of_row = 0
            self._count += 1
            if self._count > MAX_TABLE_ROWS:
                raise WorkbookError(f"more than {MAX_ROWS} rows")
            self._go_to(attributes.get("r", ""))
        elif name == f"{_MAIN}c":
            self._cells_of_row += 1
            if self._cells_of_row > MAX_COLUMNS:
                raise WorkbookError(f"more than {MAX_COLUMNS} cells in a row")
            self._column = _column(attributes["r"]) if attributes.get("r") else len(self._row)
            self._kind = attributes.get("t", "n")
            self._parts = []
        self._inside = name == f"{_MAIN}{'t' if self._kind == 'inlineStr' else 'v'}"

    def end(self, name: str) -> None:
        self._inside = False
        if name == f"{_MAIN}c":
            self._put("".join(self._parts))
        elif name == f"{_MAIN}row":
            self._cells += len(self._row)
            if self._cells > MAX_CELLS:
                raise WorkbookError(f"more than {MAX_CELLS} cells")
            self._add()

    def _go_to(self, number: str) -> None:
        """Set the place of a row, which counts the blank rows before it."""
        before = self._place
        self._place = max(int(number) if number.isdecimal() else 0, before + 1)
        if before > MAX_TABLE_ROWS and self._place > before + 1:
            raise WorkbookError(f"more than {MAX_ROWS} rows")

    def _add(self) -> None:
        """Add a row after the blank ones that the file leaves out before it.

        LibreOffice may write the last rows of its grid, numbered up to 1048576. They are blank, and
        not rows of the table.
        """
        if self._place <= MAX_TABLE_ROWS:
            self.rows += [[] for _ in range(self._place - 1 - len(self.rows))]
            self.rows.append(self._row)
        elif any(self._row):
            raise WorkbookError(f"more than {MAX_ROWS} rows")

    def text(self, text: str) -> None:
        if self._inside:
            self._parts.append(text)

    def _put(self, text: str) -> None:
        if self._kind == "s" and text:
            text = self._strings[int(text)]
        elif self._kind == "d":
            text = text[:10]  # ISO 8601, with or without a time
        self._characters += len(text)
        if self._characters > _MAX_TEXT:
            raise WorkbookError(f"more than {_MAX_TEXT} characters")
        self._row += [""] * (self._column + 1 - len(self._row))
        self._row[self._column] = text


def _column(reference: str) -> int:
    letters = _COLUMN.match(reference)
    if letters is None:
        raise WorkbookError("a cell without a column")
    number = 0
    for letter in letters[0]:
        number = number * 26 + ord(letter) - ord("A") + 1
    if number > MAX_COLUMNS:
        raise WorkbookError("too many columns")
    return number - 1


def _refuse_long_uri(_: object, uri: str | None) -> None:
    if uri is not None and len(uri) > _MAX_URI:
        raise WorkbookError(f"an XML namespace of more than {_MAX_URI} characters")


def _refuse_doctype(*_: object) -> None:
    raise WorkbookError("a document type")
