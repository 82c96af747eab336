"""Makes text from outside safe to show: no secrets, no control characters, a limited length."""

import re
from typing import Any

from pytest_turris.core.text.redaction import redact_credentials

_MOST = 2_000
_LAST_BYTE = 0xFF
# What a terminal, an XML parser or a reader's eye takes for more than a character.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff"
    "\ud800-\udfff]"
)


def inert(text: str) -> str:
    """The text with tokens and secrets masked, control characters spelt out, and cut if long."""
    whole = _HARMFUL.sub(_spelt, redact_credentials(text))
    return whole if len(whole) <= _MOST else f"{whole[:_MOST]}... ({len(whole):,} characters)"


def inert_document(found: Any) -> Any:  # noqa: ANN401 - JSON data of any shape
    """JSON data whose texts are all inert."""
    if isinstance(found, str):
        return inert(found)
    if isinstance(found, dict):
        return {name: inert_document(part) for name, part in found.items()}
    if isinstance(found, list | tuple):
        return [inert_document(part) for part in found]
    return found


def one_line(text: str) -> str:
    """A text in one line."""
    return " ".join(text.split())


def _spelt(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code <= _LAST_BYTE else f"\\u{code:04x}"
