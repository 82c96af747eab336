"""Text from outside is safe to show, whatever it is."""

import jwt
import pytest

from pytest_turris.audit.reports.inert import inert, inert_document

TOKEN = jwt.encode({"sub": "another"}, "a key that no sandbox knows, and long", algorithm="HS256")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\x9bb\x07", "a\\x9bb\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("a\ufeffb\ud800", "a\\ufeffb\\ud800"),
        ("a\tb\n", "a\tb\n"),
    ],
)
def test_control_characters_are_spelt_out(text: str, shown: str) -> None:
    """So they move no cursor, and turn no line round."""
    assert inert(text) == shown


def test_tokens_that_no_sandbox_knows_are_masked() -> None:
    """At any depth: a real one may have come by mistake."""
    found = inert_document({"a": [f"Bearer {TOKEN}", {"b": (f"x{TOKEN}",)}]})
    for part in TOKEN.split("."):
        assert part not in str(found)


def test_long_text_is_cut() -> None:
    """It says how long it was."""
    assert inert("a" * 3_000).endswith("... (3,000 characters)")
    assert len(inert("a" * 3_000)) < 2_100
