"""JSON and TOML of users: what is read, and why something is not."""

import pytest

from pytest_turris.process.user_documents import read_json, read_json_or_text, read_toml, text_of


def test_documents_are_read_with_and_without_a_mark() -> None:
    """Editors on Windows put a byte order mark before UTF-8."""
    for mark in (b"", "\N{ZERO WIDTH NO-BREAK SPACE}".encode()):
        assert text_of(mark + "é".encode()) == "é"
        assert read_json(mark + b'{"a": 1}') == {"a": 1}
        assert read_json((mark + b"[]").decode()) == []
        assert read_toml(mark + b"a = 1") == {"a": 1}
    assert read_json_or_text("[1]") == [1]
    assert read_json_or_text("plain") == "plain"
    assert read_json_or_text("1" * 6_000) == "1" * 6_000


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
    read = read_toml if content.startswith(b"a") else read_json
    with pytest.raises(ValueError, match=words):
        read(content)


def test_a_text_that_is_nested_too_deeply_is_not_taken_for_a_text() -> None:
    """It begins as JSON, and its author meant that."""
    with pytest.raises(ValueError, match="nested too deeply"):
        read_json_or_text("[" * 100_000)
