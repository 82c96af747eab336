"""Forms: their fields and files, and what makes one malformed."""

import pytest

from pytest_turris.core.wire.errors import InvalidInput
from pytest_turris.core.wire.multipart import FormFile, read_form

TYPE = "multipart/form-data; boundary=XX"
DISPOSITION = b"Content-Disposition: form-data; "


def form(*parts: bytes) -> bytes:
    """A body of these parts, each a head and a content."""
    return b"".join(b"--XX\r\n" + part + b"\r\n" for part in parts) + b"--XX--\r\n"


def part(parameters: bytes, content: bytes, *headers: bytes) -> bytes:
    """A part with the parameters of its content disposition."""
    return b"\r\n".join([DISPOSITION + parameters, *headers, b"", content])


def test_fields_and_files() -> None:
    """A field is text; a file has its name, its type and its bytes."""
    body = form(
        part(b'name="category"', "Straße".encode()),
        part(b'name="file"; filename="a.pdf"', b"\xff\x00", b"Content-Type: application/pdf"),
    )
    assert read_form(TYPE, body) == {
        "category": "Straße",
        "file": FormFile("a.pdf", "application/pdf", b"\xff\x00"),
    }


def test_a_repeated_field_is_a_list() -> None:
    """Twice or more, in the order of the form."""
    body = form(part(b'name="a"', b"1"), part(b'name="a"', b"2"), part(b'name="a"', b"3"))
    assert read_form(TYPE, body) == {"a": ["1", "2", "3"]}


@pytest.mark.parametrize(
    ("content_type", "body", "message"),
    [
        ("multipart/form-data", form(), "Multipart: Boundary not found"),
        (TYPE, b"", "Unexpected end of form"),
        (TYPE, form(part(b'name="a"', b"1"))[:-6], "Unexpected end of form"),
        (TYPE, form(*[part(b'name="a"', b"1")] * 100), "Too many parts"),
        (TYPE, form(b"no blank line"), "Malformed part header"),
        (TYPE, form(part(b'name="a"; x="' + b"x" * 9_000 + b'"', b"1")), "Malformed part header"),
        (TYPE, form(part(b'filename="a"', b"1")), "Malformed part header"),
        (TYPE, form(part(b"name=a; filename*=idna''%ff%ff", b"1")), "Malformed part header"),
        (TYPE, form(part(b'name="a"', b"\xff")), "a must be UTF-8 text"),
    ],
)
def test_a_malformed_form_is_refused(content_type: str, body: bytes, message: str) -> None:
    """The message is that of the parser behind NestJS (assumed)."""
    with pytest.raises(InvalidInput) as caught:
        read_form(content_type, body)
    assert caught.value.messages == (message,)
