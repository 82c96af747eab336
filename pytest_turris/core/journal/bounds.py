"""How much of a request is kept after its answer: the beginning, and how much was left out.

A head of 64 KiB may have 10,000 lines, which take a megabyte as objects. A server keeps a thousand
requests for each tenant, and anyone may send them. Usual requests are kept as they are.
"""

import hashlib
from dataclasses import replace
from itertools import chain

from pytest_turris.core.text.redaction import SHOWN
from pytest_turris.core.wire.messages import Fields, Request

LEFT_OUT = "..."
"""Begins each remark on what was left out; the name of such a line among the header lines."""

LONGEST_TARGET = 2_048
MOST_LINES = 64
_LONGEST_LINES = 16_384
_TOO_LONG = _LONGEST_LINES + 1


_last_short: list[Fields] = [()]
"""The lines that were short the last time: a server gives one object for equal heads."""


def _are_short(lines: Fields) -> bool:
    if lines is _last_short[0]:
        return True
    size = sum(map(len, chain.from_iterable(lines))) if len(lines) <= MOST_LINES else _TOO_LONG
    if size > _LONGEST_LINES:
        return False
    _last_short[0] = lines
    return True


def short_lines(lines: Fields) -> Fields:
    """The header lines that are kept, and a line that says how many were left out, if any."""
    if _are_short(lines):
        return lines
    kept: list[tuple[str, str]] = []
    room = _LONGEST_LINES
    for name, value in lines[:MOST_LINES]:
        line = name, value[:SHOWN]
        room -= sum(map(len, line))
        if room < 0:
            break
        kept.append(line)
    size = sum(map(len, chain.from_iterable(lines)))
    told = f"{len(kept):,} of {len(lines):,} header lines are kept ({size:,} bytes)"
    return (*kept, (LEFT_OUT, told))


def short_request(request: Request, longest_body: int) -> Request:
    """A request as it may be kept; two different ones have different targets and bodies.

    Args:
        request: The request.
        longest_body: How many bytes of its body are kept.
    """
    body, path, query = request.body, request.path, request.query
    if (
        len(body) <= longest_body
        and len(path) + len(query) <= LONGEST_TARGET
        and _are_short(request.headers)
    ):
        return request
    if len(body) > longest_body:
        body = body[:longest_body] + hashlib.sha256(body).digest()
    lines = short_lines(request.headers)
    return replace(
        request, path=_short_part(path), query=_short_part(query), headers=lines, body=body
    )


def _short_part(part: str) -> str:
    if len(part) <= LONGEST_TARGET:
        return part
    digest = hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{part[:LONGEST_TARGET]}{LEFT_OUT}{digest}"
