"""The headers of a function receiver: a plain dict, in the letters that gateways pass on."""

from collections.abc import Iterator
from typing import Any

from pytest_turris.receivers.exchange import Post, fold_headers


class FunctionHeaders(dict[str, str]):
    """A dict that notes which of its names were looked up in other letters only."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(headers)
        self._names = {name.lower() for name in headers}
        self._missed: set[str] = set()
        self._found: set[str] = set()

    @property
    def were_missed(self) -> bool:
        """Whether a present header was looked up, and never found."""
        return bool(self._missed - self._found)

    def __getitem__(self, name: str) -> str:
        self._note(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._note(name)
        return super().__contains__(name)

    def get(self, name: Any, default: Any = None) -> Any:  # noqa: ANN401 - as dict's
        """Return a header, or the default."""
        self._note(name)
        return super().get(name, default)

    def _note(self, name: object) -> None:
        lower = name.lower() if isinstance(name, str) else ""
        if lower in self._names:
            (self._found if super().__contains__(name) else self._missed).add(lower)


def spelled_headers(sent: Post) -> Iterator[FunctionHeaders]:
    """Yield the headers as dicts: as sent, in lower case, capitalised; each only once.

    Repeated lines are joined by a comma. If only the given spelling counts, mixed case that no
    gateway passes on becomes lower case.
    """
    changes = (as_gateways_do,) if sent.exact_names else (str, str.lower, str.title)
    folded, seen = fold_headers(sent.headers), list[FunctionHeaders]()
    for change in changes:
        names: dict[str, str] = {}
        for name, _ in sent.headers:
            names.setdefault(name.lower(), change(name))
        headers = FunctionHeaders({names[name]: value for name, value in folded.items()})
        if headers not in seen:
            seen.append(headers)
            yield headers


def as_gateways_do(name: str) -> str:
    """The name of a header as some gateway spells it: mixed case becomes lower case."""
    return name.lower() if name.isupper() or name.swapcase().istitle() else name
