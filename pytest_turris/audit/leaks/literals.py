"""Looks for many texts at once: what is searched is read once, however many they are."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable

_LONGEST_PART = 16
_PARTS = 8


class Literals:
    """Texts to look for.

    Each is known by a part of it that few of the others have; where that part is, the whole is
    looked for. So a search takes as long as the searched text, not that times the number of texts.

    Args:
        texts: The texts; an empty one is never found.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        by_size = defaultdict(list)
        for text in dict.fromkeys(filter(None, texts)):
            by_size[min(_LONGEST_PART, 1 << len(text).bit_length() - 1)].append(text)
        self._by_part = {size: _by_rarest_part(found, size) for size, found in by_size.items()}

    def found_in(self, searched: str) -> set[str]:
        """Those of the texts that are in a text."""
        return {
            text
            for size, texts in self._by_part.items()
            for part in _parts_in(searched, size, texts)
            for text in texts[part]
            if text in searched
        }


def _parts_in(searched: str, size: int, known: Container[str]) -> set[str]:
    """The known parts of a size that are in a text."""
    return {
        part
        for at in range(len(searched) - size + 1)
        if (part := searched[at : at + size]) in known
    }


def _by_rarest_part(texts: list[str], size: int) -> dict[str, list[str]]:
    """The texts, by a part of each that the fewest others have: tokens all begin alike."""
    counts = Counter(part for text in texts for part in _parts(text, size))
    found = defaultdict(list)
    for text in texts:
        found[min(_parts(text, size), key=counts.__getitem__)].append(text)
    return dict(found)


def _parts(text: str, size: int) -> list[str]:
    """Some parts of a text, the first and the last among them."""
    last = len(text) - size
    places = (last * number // (_PARTS - 1) for number in range(_PARTS))
    return [text[at : at + size] for at in places]
