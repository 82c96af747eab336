"""Masks signing keys and the values of ``--header`` in everything that is shown or written."""

from collections.abc import Callable, Iterable, Sequence

from pytest_turris.core.text.redaction import mask

_SHORTEST = 6
"""A shorter value may be part of other texts by chance: of a header it is masked after its name."""


def masker(keys: Iterable[str], lines: Sequence[tuple[str, str]] = ()) -> Callable[[str], str]:
    """Return a function that masks signing keys, and the values of header lines, in a text.

    Args:
        keys: The signing keys, which a receiver that ``--start`` runs may have written.
        lines: The user's header lines.
    """
    long_keys = [key for key in keys if len(key) >= _SHORTEST]

    def masked(text: str) -> str:
        for key in long_keys:
            text = text.replace(key, mask(key))
        for name, value in lines:
            text = text.replace(f"{name}: {value!r}", f"{name}: {mask(value)!r}")
            if len(value) >= _SHORTEST:
                text = text.replace(value, mask(value))
        return text

    return masked
