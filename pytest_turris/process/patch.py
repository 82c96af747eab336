"""Attributes of classes and modules, replaced while a context is open."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FunctionType
from typing import Any

Replacement = tuple[Any, str, Callable[[Any], Any]]
"""Owner (a class or module), name of the attribute, and ``wrap(original)``."""

_INHERITED = object()


class Patch(AbstractContextManager[None]):
    """Replaces attributes while at least one caller is inside the context.

    Contexts may overlap in any order: the first one in replaces the attributes, the last one out
    puts them back. Callers in several threads need a lock of their own.
    """

    def __init__(self, *replacements: Replacement) -> None:
        self._replacements = replacements
        self._users = 0
        self._originals: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> None:
        if not self._users:
            try:
                for owner, name, wrap in self._replacements:
                    original = getattr(owner, name)
                    # What it has itself; the code of a function is in no namespace.
                    own = original
                    if not isinstance(owner, FunctionType):
                        own = vars(owner).get(name, _INHERITED)
                    self._originals.append((owner, name, own))
                    setattr(owner, name, wrap(original))
            except BaseException:
                self._restore()
                raise
        self._users += 1

    def __exit__(self, *_: object) -> None:
        self._users -= 1
        if not self._users:
            self._restore()

    def _restore(self) -> None:
        while self._originals:
            owner, name, original = self._originals.pop()
            if original is _INHERITED:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
