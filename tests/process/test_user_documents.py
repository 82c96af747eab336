"""JSON and TOML of users: what is read, and why something is not."""

import pytest

from pytest_turris.process.reading.user_documents import (
    json_of_user,
    json_or_text_of_user,
    text_of_user,
    toml_of_user,
)


def test_documents_are_read_with_and_without_a_mark() -> None:
    """Editors on Windows put a byte order mark before UTF-8."""
    for mark in (b"", "\N{ZERO WIDTH NO-BREAK SPACE}".encode()):
        assert text_of_user(mark + "é".encode()) == "é"
        assert json_of_user(mark + b'{"a": 1}') == {"a": 1}
        assert json_of_user((mark + b"[]").decode()) == []
        assert toml_of_user(mark + b"a = 1") == {"a": 1}
    assert json_or_text_of_user("[1]") == [1]
    assert json_or_text_of_user("plain") == "plain"
    assert json_or_text_of_user("1" * 6_000) == "1" * 6_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]".encode("utf-16"), "it is in UTF-16 or UTF-32: save it as UTF-8"),
        ("[]".encode("utf-16-be"), "it is in UTF-16 or UTF-32: save it as UTF-8"),
        ("[]".encode("utf-32"), "it is in UTF-16 or UTF-32: save it as UTF-8"),
        (b"[\xff", r"it is not text in UTF-8 \(byte 0xff at 1\)"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b"a = " + b"[" * 5_000 + b"]" * 5_000, "it is nested too deeply"),
        (b"[" + b"1" * 6_000 + b"]", "it has a number of more than 4300 digits"),
        (b"a = " + b"1" * 6_000, "it has a number of more than 4300 digits"),
        (b"{", "Expecting property name"),
        (b"a", "Expected '=' after a key"),
    ],
    ids=range(10),
)
def test_the_reason_is_for_a_user(content: bytes, words: str) -> None:
    """Each reason says what is wrong with the document, and none what Python has."""
    read = toml_of_user if content.startswith(b"a") else json_of_user
    with pytest.raises(ValueError, match=words):
        read(content)


def test_a_text_that_is_nested_too_deeply_is_not_taken_for_a_text() -> None:
    """It begins as JSON, and its author meant that."""
    with pytest.raises(ValueError, match="nested too deeply"):
        json_or_text_of_user("[" * 100_000)
