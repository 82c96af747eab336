"""Masks the signing key and the values of ``--header`` in everything that is shown or written."""

from collections.abc import Callable, Sequence

from pytest_turris.core.text.printable import printable
from pytest_turris.core.text.redaction import mask

_SHORTEST = 6
"""A shorter value may be part of other texts by chance: of a header it is masked after its name."""


def end_of(text: str, length: int) -> str:
    """Return the end of a text, from the beginning of a word on: a part of a key is not masked.

    Args:
        text: What a command wrote.
        length: The most characters.
    """
    text = " ".join(text.split())
    return text if len(text) <= length else text[-length - 1 :].partition(" ")[2]


def masker(lines: Sequence[tuple[str, str]], key: str) -> Callable[[str], str]:
    """Return a function that masks the values of header lines, and the signing key, in a text.

    A text for a terminal may have them with escapes.

    Args:
        lines: The user's header lines.
        key: The signing key, which a receiver or a command of the user may have written.
    """

    def masked(text: str) -> str:
        if len(key) >= _SHORTEST:
            text = text.replace(key, mask(key)).replace(printable(key), mask(key))
        for name, value in lines:
            text = text.replace(f"{name}: {value!r}", f"{name}: {mask(value)!r}")
            if len(value) >= _SHORTEST:
                text = text.replace(value, mask(value)).replace(printable(value), mask(value))
        return text

    return masked
