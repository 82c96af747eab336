"""Attributes of classes and modules, replaced while a context is open."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import RLock
from types import FunctionType
from typing import Any

Replacement = tuple[Any, str, Callable[[Any], Any]]
"""Owner (a class or module), name of the attribute, and ``wrap(original)``."""

_INHERITED = object()


@dataclass(eq=False, slots=True)
class _Layer:
    """One replaced attribute, and what was there before."""

    owner: Any
    name: str
    before: Any


_layers: list[_Layer] = []
"""The attributes that are replaced now, the oldest first; one can be replaced several times."""
_lock = RLock()
"""Held while they change: several patches share them."""


class Patch(AbstractContextManager[None]):
    """Replaces attributes while at least one caller is inside the context.

    Contexts may overlap in any order: the first one in replaces the attributes, the last one out
    puts them back. So may several patches of one attribute: after the last one, the original is
    back. Callers in several threads need a lock of their own.
    """

    def __init__(self, *replacements: Replacement) -> None:
        self._replacements = replacements
        self._users = 0
        self._replaced: list[_Layer] = []

    def __enter__(self) -> None:
        if not self._users:
            try:
                for replacement in self._replacements:
                    self._replace(*replacement)
            except BaseException:
                self._restore()
                raise
        self._users += 1

    def __exit__(self, *_: object) -> None:
        self._users -= 1
        if not self._users:
            self._restore()

    def _replace(self, owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:  # noqa: ANN401 - a class or module
        with _lock:
            original = getattr(owner, name)
            # What it has itself; the code of a function is in no namespace.
            own = original
            if not isinstance(owner, FunctionType):
                own = vars(owner).get(name, _INHERITED)
            layer = _Layer(owner, name, own)
            self._replaced.append(layer)
            _layers.append(layer)
            setattr(owner, name, wrap(original))

    def _restore(self) -> None:
        while self._replaced:
            _put_back(self._replaced.pop())


def _put_back(layer: _Layer) -> None:
    """Restore an attribute; if it was replaced again since, leave that to the later patch."""
    owner, name = layer.owner, layer.name
    with _lock:
        at = _layers.index(layer)
        newer = _layers[at + 1 :]
        del _layers[at]
        later = newer and [one for one in newer if one.owner is owner and one.name == name]
        if later:
            later[0].before = layer.before
        elif layer.before is _INHERITED:
            delattr(owner, name)
        else:
            setattr(owner, name, layer.before)
