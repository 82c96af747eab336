"""Forms with files: ``multipart/form-data`` (RFC 7578, RFC 2046 section 5.1).

The whole body is in memory when the core gets it, so a streaming parser is not needed: this module
splits the body at its boundary, and the standard library reads the headers of each part. The
standard library's MIME parser is not used for the body: it is made for mail, so it would decode
transfer encodings and accept broken boundaries.

The messages for broken forms are those of busboy, the parser behind NestJS (assumed).
"""

import contextlib
from dataclasses import dataclass
from typing import Annotated

from pydantic import WithJsonSchema

from pytest_turris.core.wire.errors import InvalidInput

_MAX_PARTS = 100
_MAX_HEAD = 8_192
_MAX_PARAMETERS = 32
"""The standard library takes quadratic time for the parameters of a header."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form: its name as sent, its media type, its bytes."""

    name: str
    media_type: str
    content: bytes


UploadedFile = Annotated[FormFile, WithJsonSchema({"type": "string", "format": "binary"})]
FormValue = str | FormFile | list[str | FormFile]


def read_form(content_type: str, body: bytes) -> dict[str, FormValue]:
    """The fields of a form; a repeated one is a list.

    Raises:
        InvalidInput: The boundary is missing, or the body is not a form.
    """
    found: dict[str, FormValue] = {}
    for head, content in _parts(body, _boundary(content_type)):
        name, value = _field(head, content)
        if name in found:
            before = found[name]
            found[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            found[name] = value
    return found


def _boundary(content_type: str) -> bytes:
    from email.message import Message  # noqa: PLC0415 - it takes long to import, and forms are rare

    header = Message()
    boundary = ""
    if not _is_excessive(content_type.encode("utf-8", "replace")):
        header["content-type"] = content_type
        with contextlib.suppress(Exception):  # the standard library raises many kinds
            boundary = header.get_boundary("")
    if not boundary:
        raise InvalidInput("Multipart: Boundary not found")
    return boundary.encode("latin-1", "replace")


def _parts(body: bytes, boundary: bytes) -> list[tuple[bytes, bytes]]:
    # The delimiter begins with the line break before it; the first may be at the very start.
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, _MAX_PARTS + 1)
    if len(parts) > _MAX_PARTS:
        raise InvalidInput("Too many parts")
    if not parts or not parts[-1].startswith(b"--"):
        raise InvalidInput("Unexpected end of form")
    found = []
    for part in parts[:-1]:
        line, _, rest = part.partition(b"\r\n")
        head, blank, content = rest.partition(b"\r\n\r\n")
        if line.strip(b" \t") or not blank or _is_excessive(head):
            raise InvalidInput("Malformed part header")
        found.append((head, content))
    return found


def _is_excessive(head: bytes) -> bool:
    return len(head) > _MAX_HEAD or head.count(b";") > _MAX_PARAMETERS


def _field(head: bytes, content: bytes) -> tuple[str, str | FormFile]:
    from email.parser import HeaderParser  # noqa: PLC0415 - as above

    try:
        header = HeaderParser().parsestr(head.decode("utf-8", "replace"))
        name = header.get_param("name", header="content-disposition")
        file_name = header.get_filename()
        media_type = header.get_content_type()
        disposition = header.get_content_disposition()
    except Exception:  # noqa: BLE001 - the standard library raises many kinds
        raise InvalidInput("Malformed part header") from None
    if disposition != "form-data" or not isinstance(name, str):
        raise InvalidInput("Malformed part header")
    if file_name is not None:
        return name, FormFile(file_name, media_type, content)
    try:
        return name, content.decode()
    except UnicodeDecodeError:
        raise InvalidInput(f"{name[:64]} must be UTF-8 text") from None
