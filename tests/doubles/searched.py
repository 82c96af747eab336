"""A text that notes what is looked for in it: what a search costs shows in that."""

from typing import Self


class Searched(str):
    """A text with a list of what was looked for in it, one after the other."""

    __slots__ = ("looked_for",)
    looked_for: list[object]

    def __new__(cls, text: str, looked_for: list[object] | None = None) -> Self:
        """Make it of a text; several may have one list."""
        made = super().__new__(cls, text)
        made.looked_for = [] if looked_for is None else looked_for
        return made

    def __contains__(self, part: object) -> bool:
        self.looked_for.append(part)
        return isinstance(part, str) and super().__contains__(part)
