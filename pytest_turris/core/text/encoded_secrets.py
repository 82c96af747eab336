"""Finds credentials that are encoded in Base64: those of HTTP Basic, and the sandbox's own."""

import re
from collections.abc import Iterator

MARKS: tuple[str, ...] = (
    *("dHVycmlzX3NhbmRib3hf", "R1cnJpc19zYW5kYm94X", "0dXJyaXNfc2FuZGJveF"),
    *(b"turris_sandbox_".hex(), b"turris_sandbox_".hex().upper()),
    *("ZXlKaGJHY2lPaU", "V5SmhiR2NpT2l", "leUpoYkdjaU9p"),
    *(b"eyJhbGciOi".hex(), b"eyJhbGciOi".hex().upper()),
)
"""``turris_sandbox_`` and the begin of a JWT, ``{"alg":"``, in Base64 and in hex.

Base64 and base64url write both alike, but differently after 0, 1 or 2 bytes of a group of three.
"""

SCHEME_SIGNS: tuple[str, ...] = ("asic ", "earer ", "ASIC ", "EARER ")
"""One of these is in each credential that ``SCHEME_CREDENTIAL`` finds, but for unusual letters."""

# pytest shows a long value on the lines after its first word: 'Basic ' 'aWQ6...'.
_SCHEME = r"(?:basic|bearer)\s+(?:['\"]\s{0,8}\n[\sE>]{0,80}b?['\"])?"

SCHEME_CREDENTIAL: re.Pattern[str] = re.compile(
    # After the name of the header, whatever it is; elsewhere what can be no word of a sentence.
    rf"(authorization\\*['\"]?\s*[:=,]\s*b?\\*['\"]?{_SCHEME})([\w.~+/=-]+)"
    rf"|(\b{_SCHEME})"
    r"(?=[a-z.~+/=_-]*(?:[0-9]|(?-i:[a-z][A-Z])|={1,2}(?![\w=])))([\w.~+/=-]{12,})",
    re.IGNORECASE,
)

_BEFORE = re.compile(r"[\w+/=-]*\Z", re.ASCII)
_REST = re.compile(r"(?:[\w+/=-]|\.{3}(?=\w))*", re.ASCII)  # pytest cuts a long value like so
_LONGEST_BEFORE = 4_096


def encoded_own(text: str) -> Iterator[tuple[int, int]]:
    """Where a sandbox's own credential is in Base64, with all that is encoded with it."""
    done = 0
    while (at := min((i for mark in MARKS if (i := text.find(mark, done)) >= 0), default=-1)) >= 0:
        head = text[max(done, at - _LONGEST_BEFORE) : at]
        found = _BEFORE.search(head.rpartition("\n")[2])
        rest = _REST.match(text, at)
        start, done = at - len(found[0] if found else ""), rest.end() if rest else at + 1
        yield start, done
