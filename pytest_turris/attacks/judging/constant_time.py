"""Whether signatures are compared in constant time: seen without a stopwatch.

A text that reports that it was compared works where it reaches the receiver as it is: through WSGI.
Elsewhere only the call of ``hmac.compare_digest`` can be seen, by its name in the module.
"""

import hmac
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from pytest_turris.process.patch import Patch

_TELLING = 16


class Tripwire(str):  # noqa: SLOT000 - it carries a list
    """A text that writes down when ``==`` compares it with another of some length.

    What is cut from it or made of it by the usual methods is a tripwire too; a copy by
    formatting is not (``f"{text}"``).
    """

    hits: list[str]

    def __new__(cls, text: str, hits: list[str]) -> Self:
        """The text, and where to write hits down."""
        made = super().__new__(cls, text)
        made.hits = hits
        return made

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str) and len(other) >= _TELLING:
            self.hits.append("==")
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return str.__hash__(self)

    def __getitem__(self, at: Any) -> "Tripwire":  # noqa: ANN401 - an index or a slice
        return Tripwire(str.__getitem__(self, at), self.hits)


def _kept(name: str) -> Any:  # noqa: ANN401 - a method of str
    original = getattr(str, name)

    def method(self: Tripwire, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        return _wired(original(self, *args, **kwargs), self.hits)

    return method


def _wired(made: Any, hits: list[str]) -> Any:  # noqa: ANN401 - a text or several
    if isinstance(made, str):
        return Tripwire(made, hits)
    return type(made)(Tripwire(part, hits) for part in made)


for _name in (
    "strip", "lstrip", "rstrip", "lower", "upper", "casefold", "removeprefix", "removesuffix",
    "replace", "split", "rsplit", "partition", "rpartition",
):  # fmt: skip
    setattr(Tripwire, _name, _kept(_name))


@contextmanager
def spy() -> Iterator[list[str]]:
    """Write down calls of ``hmac.compare_digest`` and ``secrets.compare_digest``."""
    calls: list[str] = []
    original = hmac.compare_digest

    def watched(given: Any, expected: Any) -> bool:  # noqa: ANN401 - texts or bytes
        calls.append("compare_digest")
        return original(given, expected)

    modules = filter(None, map(sys.modules.get, ("hmac", "secrets")))
    with Patch(*((module, "compare_digest", lambda _: watched) for module in modules)):
        yield calls
