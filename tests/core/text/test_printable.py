"""What a terminal gets of text from elsewhere."""

import subprocess
import sys

import pytest

from pytest_turris.core.text.printable import printable, printable_lines

CONTROLS = [
    *map(chr, range(0x20)), "\x7f", *map(chr, range(0x80, 0xA0)), "\u200e", "\u200f",
    *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)), "\ud800", "\udfff",
    "\u2028", "\U000e0001",
]  # fmt: skip


@pytest.mark.parametrize("char", CONTROLS, ids=ascii)
def test_control_is_escaped_as_python_writes_it(char: str) -> None:
    """Neither a control character nor a lone surrogate stays, also between usual text."""
    assert printable(f"a{char}b") == f"a{ascii(char)[1:-1]}b"


def test_usual_text_stays() -> None:
    """Letters of any script, accents and symbols are no controls."""
    text = "Straße, 名前, שלום: 5 € \\x1b"
    assert printable(text) == printable_lines(text) == text


def test_lines_stay_lines() -> None:
    """Of the control characters, only the line break is kept, and only where lines are meant."""
    assert printable_lines("a\n\tb\r\n\x1b[2J") == "a\n\\tb\\r\n\\x1b[2J"
    assert printable("a\nb") == "a\\nb"


def test_escaped_text_stays_as_it_is() -> None:
    """Two layers may make the same text safe."""
    once = printable("".join(CONTROLS))
    assert printable(once) == printable_lines(once) == once


def test_nothing_is_imported() -> None:
    """A process that can open no more files cannot import a codec at its first use."""
    code = (
        "import sys; from pytest_turris.core.text.printable import printable\n"
        "before = set(sys.modules)\n"
        "printable('\\x1b\\u202e\\ud800')\n"
        "sys.exit(sorted(set(sys.modules) - before) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)
