"""Text from elsewhere made safe for a terminal: it cannot move the cursor, or hide or reorder text.

It escapes control characters (C0, DEL and C1), controls of the direction of text, other invisible
characters, and lone surrogates.
"""

_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def printable(text: str) -> str:
    """The text as one line, with an escape for each unprintable character.

    What is escaped already stays as it is. This never raises, and imports nothing: a server calls
    it when it can open no file any more.
    """
    if text.isprintable():
        return text
    return "".join([char if char.isprintable() else _escaped(char) for char in text])


def printable_lines(text: str) -> str:
    """The same for a text that may have several lines: line breaks stay."""
    return text if text.isprintable() else "\n".join(map(printable, text.split("\n")))


def _escaped(char: str) -> str:
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if code <= 0xFF:  # noqa: PLR2004 - two digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four digits
