"""Receivers with one realistic bug: the lines that a pull request changed in a correct one."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from strangers.receivers.stack import FOLDER

KINDS = (
    "verification",
    "switches",
    "reading",
    "events",
    "identity",
    "errors",
    "contents",
    "other_languages",
)
"""The files in ``broken``, in the order of the table."""


@dataclass(frozen=True)
class Bug:
    """A bug, as a reviewer sees it.

    Args:
        name: What the receiver is called in the table.
        base: The correct receiver that the change was made to.
        what: The bug, in one sentence.
        changes: Pairs of old and new text. Each old text occurs once in the base's source.
        caught_by: The attacks that fittingly report it. Empty: it is open, see ``why_not``.
        why_not: Why no attack reports it.
        settle: For how many seconds its effects may still come after its answer.
    """

    name: str
    base: str
    what: str
    changes: tuple[tuple[str, str], ...]
    caught_by: tuple[str, ...]
    why_not: str
    settle: float

    def apply(self, source: str) -> str:
        """Make the change.

        Raises:
            ValueError: The base no longer has the lines that were changed.
        """
        for old, new in self.changes:
            if source.count(old) != 1:
                raise ValueError(f"{self.name}: {old!r} occurs {source.count(old)} times")
            source = source.replace(old, new)
        return source


def _read() -> Iterator[Bug]:
    for kind in KINDS:
        for entry in tomllib.loads((FOLDER / "broken" / f"{kind}.toml").read_text())["bug"]:
            yield Bug(
                name=entry["name"],
                base=entry["base"],
                what=entry["what"],
                changes=tuple((change["old"], change["new"]) for change in entry["change"]),
                caught_by=tuple(entry["caught_by"]),
                why_not=entry.get("why_not", ""),
                settle=entry.get("settle", 0.0),
            )


BUGS = tuple(_read())
