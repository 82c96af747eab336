"""The interface of every check: an attack, a rule, a hostile answer."""

import re
from typing import Protocol

from pytest_turris.core.levels import Level

_SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "for",
        "in",
        "is",
        "it",
        "its",
        "of",
        "on",
        "or",
        "the",
        "to",
    ]
)
_SLUG_WORDS = 3
_PUNCTUATION = re.compile(r"[^A-Za-z0-9 -]")


class Check(Protocol):
    """One thing that is checked. All texts are for the author of the code under test."""

    @property
    def id(self) -> str:
        """Stable, never used for anything else: ``WH-05``."""
        ...

    @property
    def title(self) -> str:
        """The check in a few words."""
        ...

    @property
    def level(self) -> Level:
        """How serious a finding is."""
        ...

    @property
    def does(self) -> str:
        """What the check does, in a sentence."""
        ...

    @property
    def why(self) -> str:
        """What goes wrong if the code under test does not do as expected."""
        ...

    @property
    def fix(self) -> str:
        """How to fix the code under test."""
        ...

    @property
    def source(self) -> str:
        """Where the check comes from: a specification, a documented page, a known bug."""
        ...

    @property
    def help_uri(self) -> str:
        """The page with more about it."""
        ...


def slug(check_id: str, title: str) -> str:
    """Id and first words of the title, for the name of a test: ``TC-06-expired-token-never``."""
    words = _PUNCTUATION.sub("", title).lower().split()
    telling = [word for word in words if word not in _SMALL_WORDS]
    return "-".join([check_id, *telling[:_SLUG_WORDS]])


def label(check: Check) -> str:
    """Id and title in one word: ``WH-05-wrong-same-length``, ``TC-01-one-token-...``."""
    return label_of(check.id, check.title)


def label_of(check_id: str, title: str) -> str:
    """The same, from the two texts."""
    words = _PUNCTUATION.sub("", title).split()
    return f"{check_id}-{'-'.join(words).lower()}"
