"""Masks the values of ``--header`` in everything that is shown or written."""

from collections.abc import Callable, Sequence

from pytest_turris.core.text.redaction import mask

_SHORTEST = 6
"""A shorter value may be part of other texts by chance, so it is masked only after its name."""


def masker(lines: Sequence[tuple[str, str]]) -> Callable[[str], str]:
    """Return a function that masks the values of header lines in a text.

    Args:
        lines: The user's header lines.
    """

    def masked(text: str) -> str:
        for name, value in lines:
            text = text.replace(f"{name}: {value!r}", f"{name}: {mask(value)!r}")
            if len(value) >= _SHORTEST:
                text = text.replace(value, mask(value))
        return text

    return masked
