"""Masks the signing key and the values of ``--header`` in everything that is shown or written."""

from collections.abc import Callable, Sequence

from pytest_turris.core.text.redaction import mask

_SHORTEST = 6
"""A shorter value may be part of other texts by chance: of a header it is masked after its name."""


def masker(lines: Sequence[tuple[str, str]], key: str) -> Callable[[str], str]:
    """Return a function that masks the values of header lines, and the signing key, in a text.

    Args:
        lines: The user's header lines.
        key: The signing key, which a receiver that ``--start`` runs may have written.
    """

    def masked(text: str) -> str:
        if len(key) >= _SHORTEST:
            text = text.replace(key, mask(key))
        for name, value in lines:
            text = text.replace(f"{name}: {value!r}", f"{name}: {mask(value)!r}")
            if len(value) >= _SHORTEST:
                text = text.replace(value, mask(value))
        return text

    return masked
