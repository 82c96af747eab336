"""A delivery as it was received, from which a scheme is learned."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from pytest_turris.core.errors import TurrisKitError

_Headers = Mapping[str, str] | Iterable[tuple[str, str]]

_LINE_END = re.compile(rb"\r?\n")
_REQUEST_LINE = re.compile(r"([A-Z]+) (\S+) HTTP/\d(?:\.\d)?")
_HEADER_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")


class DeliveryFormatError(TurrisKitError, ValueError):
    """A file does not hold an HTTP request, or a line is not a header line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CapturedDelivery:
    """What a receiver got.

    Args:
        headers: The header lines.
        body: The body, byte for byte.
        url: The URL that the sender called, if it is known.
        method: The request's method.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str = ""
    method: str = "POST"

    @classmethod
    def of(cls, headers: _Headers, body: bytes, *, url: str = "", method: str = "POST") -> Self:
        """Return a delivery from headers in any shape."""
        lines = headers.items() if isinstance(headers, Mapping) else headers
        return cls(headers=tuple(lines), body=body, url=url, method=method)

    @classmethod
    def read(cls, text: bytes, *, url: str = "") -> Self:
        """Return a delivery from a saved request: header lines, an empty line, the body.

        Args:
            text: The bytes. A request line such as ``POST /hook HTTP/1.1`` may come first.
            url: The URL that the sender called, if it is known.

        Raises:
            DeliveryFormatError: There is no empty line, or a line before it is not a header.
        """
        lines, rest = [], text
        while (end := _LINE_END.search(rest)) and end.start():
            lines.append(rest[: end.start()].decode("latin-1"))
            rest = rest[end.end() :]
        if end is None:
            raise DeliveryFormatError("there is no empty line between the headers and the body")
        first = _REQUEST_LINE.fullmatch(lines[0]) if lines else None
        headers = tuple(header_line(line) for line in lines[1 if first else 0 :])
        method = first[1] if first else "POST"
        return cls(headers=headers, body=rest[end.end() :], url=url, method=method)


def header_line(text: str) -> tuple[str, str]:
    """Return the name and the value of a header line.

    Raises:
        DeliveryFormatError: It is not ``NAME: VALUE``; the message does not show the value.
    """
    found = _HEADER_LINE.fullmatch(text)
    if found is None:
        name, colon, _ = text.partition(":")
        raise DeliveryFormatError(f"{name + colon!r}: a header line is NAME: VALUE")
    return found[1], found[2]
