"""An attribute of a class or module, replaced while a context is open."""

from collections.abc import Callable
from typing import Any


class Patch:
    """``wrapped(original)`` in the place of an attribute, while anybody is in this context."""

    def __init__(self, owner: Any, name: str, wrapped: Callable[[Any], Any]) -> None:  # noqa: ANN401 - class or module
        self._owner = owner
        self._name = name
        self._wrapped = wrapped
        self._users = 0
        self._original: Any = None

    def __enter__(self) -> None:
        if not self._users:
            self._original = vars(self._owner)[self._name]
            setattr(self._owner, self._name, self._wrapped(self._original))
        self._users += 1

    def __exit__(self, *_: object) -> None:
        self._users -= 1
        if not self._users:
            setattr(self._owner, self._name, self._original)
