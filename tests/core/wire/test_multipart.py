"""Forms: their fields and files, and what makes one malformed."""

import contextlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.core.wire.errors import InvalidInput
from pytest_turris.core.wire.multipart import FormFile, read_form

TYPE = "multipart/form-data; boundary=XX"
FRONTIER = "multipart/form-data; boundary=frontier"
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


HOSTILE_PARAMETERS = (
    b"; x",
    b"; name*0=a; name=b",
    b"; name*=idna''%ff",
    b"; boundary*=idna''",
    b'; "',
)


@pytest.mark.parametrize("parameters", HOSTILE_PARAMETERS)
@pytest.mark.parametrize("times", [1, 31, 2_000])
def test_parameters_that_no_library_writes_are_read_or_refused(
    parameters: bytes, times: int
) -> None:
    """Neither an error of the standard library nor its quadratic time reaches the caller."""
    body = form(part(b"name=a" + parameters * times, b"1"))
    for content_type in (TYPE, TYPE + parameters.decode() * times):
        with contextlib.suppress(InvalidInput):
            read_form(content_type, body)


@given(st.binary(max_size=300), st.text(max_size=20))
def test_a_form_gives_back_what_was_put_in(content: bytes, text: str) -> None:
    """Byte for byte, whatever the file is."""
    if b"\r\n--frontier" in b"\r\n" + content:
        return
    head = b'--frontier\r\nContent-Disposition: form-data; name="'
    body = head + b'file"; filename="a b.pdf"\r\nContent-Type: text/x\r\n\r\n' + content
    body += b"\r\n" + head + b'note"\r\n\r\n' + text.encode() + b"\r\n--frontier--\r\n"
    if "\r\n--frontier" not in "\r\n" + text:
        assert read_form(FRONTIER, body) == {
            "file": FormFile("a b.pdf", "text/x", content),
            "note": text,
        }


@given(st.text(max_size=60), st.binary(max_size=200))
def test_any_form_is_read_or_refused(content_type: str, body: bytes) -> None:
    """Nothing else is raised."""
    for kind in (content_type, FRONTIER):
        for form in (body, b"--frontier\r\n" + body + b"\r\n--frontier--"):
            try:
                read_form(kind, form)
            except InvalidInput:
                continue


def test_the_parts_of_a_form_are_counted_before_all_are_made() -> None:
    """A body of separators alone would take many times its own memory."""
    body = b"\r\n--XX" * 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput, match="Too many parts"):
            read_form(TYPE, body)
        assert tracemalloc.get_traced_memory()[1] < 3 * len(body)
    finally:
        tracemalloc.stop()
