"""The header lines that a user gives for an answer."""

import re
from collections.abc import Mapping
from typing import Any

_FRAMING = frozenset(
    {
        "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Where a message ends, and what becomes of its connection (RFC 9110, 7.6.1; RFC 9112, 6)."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def problem_of(headers: Mapping[Any, Any]) -> str:
    """Why no answer can have these header lines, and what to do; empty if one can.

    Args:
        headers: Names in any case, with their values, which are not repeated in the problem.
    """
    for name, value in headers.items():
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            return f"{name!r} is not the name of a header; use letters, digits and hyphens"
        if name.lower() in _FRAMING:
            return (
                f"the server writes the header {name!r} itself; leave it out. For answers that end "
                "too early or too late, script the hostile answer AR-07"
            )
        if not (isinstance(value, str) and _VALUE.fullmatch(value)):
            return (
                f"the value of the header {name!r} must be a text of Latin-1 without line breaks "
                "or other control characters"
            )
    return ""
