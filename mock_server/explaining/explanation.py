"""A check or an option in words: the text of its section on a page, and of the command."""

import textwrap
from dataclasses import dataclass, field

_WIDTH = 88


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One entry.

    Args:
        name: ``WH-05`` or ``token_ttl``.
        title: What it is, in a few words.
        parts: Labels with their texts, in order: what it does, why it matters, and so on.
        url: Where the same text is on the web.
        broken: Code that has the fault.
        right: Code that does not.
        language: What the code is written in.
    """

    name: str
    title: str
    parts: dict[str, str] = field(default_factory=dict)
    url: str = ""
    broken: str = ""
    right: str = ""
    language: str = "python"

    def as_text(self) -> str:
        """The entry for a terminal, at most 88 columns wide, except code."""
        heading = f"{self.name}: {self.title}"
        blocks = [f"{heading}\n{'=' * len(heading)}"]
        blocks += [_labelled(label, text) for label, text in self.parts.items() if text]
        blocks += [
            f"{label}:\n\n{textwrap.indent(code.strip(), ' ' * 4)}"
            for label, code in (("A broken example", self.broken), ("A right one", self.right))
            if code
        ]
        return "\n\n".join([*blocks, f"More: {self.url}"]) + "\n"

    def as_markdown(self, heading: str) -> str:
        """The entry as a section of a page; the code can be folded out.

        Args:
            heading: The text of the heading, from which the link to the section is made.
        """
        lines = [f"## {heading}", ""]
        lines += [f"- {label}: {text}" for label, text in self.parts.items() if text]
        return "\n".join([*lines, *self.folded_code()]) + "\n"

    def folded_code(self) -> list[str]:
        """The two examples as lines of a page, which can be folded out; none without code."""
        if not self.broken:
            return []
        codes = [("A broken example", self.broken), ("A right one", self.right)]
        lines = ["", "<details><summary>A broken and a right example</summary>"]
        lines += [f"\n{label}:\n\n```{self.language}\n{code.strip()}\n```" for label, code in codes]
        return [*lines, "", "</details>"]


def _labelled(label: str, text: str) -> str:
    return textwrap.fill(f"{label}: {text}", _WIDTH, subsequent_indent="  ")
