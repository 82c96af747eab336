"""The ways to read the value of a header as a signature."""

import base64
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_turris.webhooks.learning.times import TIME, time_in

SEPARATORS = (", ", ",", "; ", ";", " ", "|", "&")
"""The possible separators of several signatures, or of a time and a signature."""

ALGORITHMS = {20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}
"""The digests that are tried, by their size in bytes."""

_DOCUMENTED_SIZE = 32
_LONGEST_PREFIX = 24
_PREFIX = re.compile(r"[!-~ ]*")
_WORD_BEFORE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,11}")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the digest is written.

    Args:
        name: Its name in reports.
        letters: The characters of its alphabet, as in a regular expression.
        padded: Whether base64 ends with ``=`` where it can.
    """

    name: str
    letters: str
    padded: bool = False

    def length(self, size: int) -> int:
        """The number of characters of a digest of this many bytes."""
        if self.letters in (_HEX, _UPPER_HEX):
            return 2 * size
        return -(-size // 3) * 4 if self.padded else -(-size * 4 // 3)

    def decode(self, text: str) -> bytes | None:
        """Return the bytes; None if this is not how the encoding writes them."""
        padding = "=*" if self.padded else ""
        if not re.fullmatch(f"[{self.letters}]*{padding}", text):
            return None
        if self.letters in (_HEX, _UPPER_HEX):
            return bytes.fromhex(text)
        other = b"-_" if self.letters == _URL else b"+/"
        digest = base64.b64decode(text + "=" * (-len(text) % 4), altchars=other)
        whole = base64.b64encode(digest, altchars=other).decode()
        return digest if text == (whole if self.padded else whole.rstrip("=")) else None


_HEX, _UPPER_HEX, _STANDARD, _URL = "0-9a-f", "0-9A-F", "A-Za-z0-9+/", "A-Za-z0-9_-"
ENCODINGS = (
    Encoding("hex", _HEX),
    Encoding("upper-case hex", _UPPER_HEX),
    Encoding("base64", _STANDARD, padded=True),
    Encoding("base64 without padding", _STANDARD),
    Encoding("base64url", _URL, padded=True),
    Encoding("base64url without padding", _URL),
)
"""The encodings that are tried, the likeliest first."""


@dataclass(frozen=True, slots=True)
class ValueReading:
    """One way to read a header's value.

    Args:
        header: The header's name, as it was written.
        form: The value, with ``{time}`` and ``{signature}`` in their places.
        prefix: What comes before the signature in its item, without a time.
        separator: What separates several signatures; empty if there is one.
        encoding: How digests are written.
        size: The digest's size in bytes.
        digests: The digests in the value; one of them has to fit.
        time: The time in the value; empty if there is none.
    """

    header: str
    form: str
    prefix: str
    separator: str
    encoding: Encoding
    size: int
    digests: tuple[bytes, ...]
    time: str = ""


def value_readings(header: str, value: str) -> list[ValueReading]:
    """Return all ways to read a header's value as a signature, the likeliest first."""
    found = list(_single(header, value))
    for separator in SEPARATORS:
        items = value.split(separator)
        clean = all(item and item == item.strip() for item in items)
        if len(items) > 1 and clean:
            found += _list(header, items, separator)
    return found


def _single(header: str, value: str) -> Iterator[ValueReading]:
    for encoding, size, before, digest in _tails(value):
        time = time_in(before)
        form = before.replace(time, "{time}") if time else before
        prefix = "" if time else before
        yield ValueReading(
            header, form + "{signature}", prefix, "", encoding, size, (digest,), time
        )


def _list(header: str, items: list[str], separator: str) -> Iterator[ValueReading]:
    times = [item for item in items if (time := time_in(item)) and item.endswith(time)]
    groups: dict[tuple[Encoding, int, str], list[bytes]] = defaultdict(list)
    first: dict[str, int] = {}
    for place, item in enumerate(items):
        for encoding, size, prefix, digest in _tails(item):
            if not time_in(prefix):
                groups[encoding, size, prefix].append(digest)
                first.setdefault(prefix, place)
    signed = sum(any(True for _ in _tails(item)) for item in items)
    for (encoding, size, prefix), digests in groups.items():
        if times:
            time = time_in(times[0])
            parts = [times[0].replace(time, "{time}"), prefix + "{signature}"]
            if first[prefix] < items.index(times[0]):
                parts.reverse()
            several = separator if signed > 1 else ""
            form = separator.join(parts)
            yield ValueReading(header, form, prefix, several, encoding, size, tuple(digests), time)
        elif signed > 1:
            form = prefix + "{signature}"
            yield ValueReading(header, form, prefix, separator, encoding, size, tuple(digests))


def _tails(text: str) -> Iterator[tuple[Encoding, int, str, bytes]]:
    """The signatures that a text can end with: encoding, size, what is before, and the digest."""
    for encoding in ENCODINGS:
        for size in ALGORITHMS:
            length = encoding.length(size)
            before, tail = text[:-length], text[-length:]
            if len(tail) < length or not _can_precede(before, encoding, size):
                continue
            if (digest := encoding.decode(tail)) is not None:
                yield encoding, size, before, digest


def _can_precede(before: str, encoding: Encoding, size: int) -> bool:
    """Whether a text can be a prefix, not the beginning of a longer signature."""
    if len(TIME.sub("", before)) > _LONGEST_PREFIX or not _PREFIX.fullmatch(before):
        return False
    if not before or not re.fullmatch(f"[{encoding.letters}]", before[-1]):
        return True
    return size == _DOCUMENTED_SIZE and bool(_WORD_BEFORE.fullmatch(before))
