"""Changes of a sandbox that take effect one after another, each as a whole or not at all.

An exception can end a change at any line: Ctrl-C, the signal of a timeout plugin, no memory, a
bug. So all code that changes the state first notes how to take that back. If the block ends with an
exception, these notes are carried out, the newest first. The state is then as if nothing had
happened.
"""

import functools
from collections import deque
from collections.abc import Callable, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import repeat
from threading import get_ident
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Changing")
T = TypeVar("T")

_MISSING = object()
_UNLOCKED = nullcontext()


class Undo:
    """A reentrant block in which one thread changes the state, and which can take that back.

    Args:
        lock: Returns the lock that is held meanwhile.
    """

    def __init__(
        self, lock: Callable[[], AbstractContextManager[object]] = lambda: _UNLOCKED
    ) -> None:
        self._lock = lock
        self._open: list[tuple[AbstractContextManager[object], int]] = []
        self._holder = 0
        """The thread inside, which has the lock."""
        self._steps: list[Callable[[], object]] = []
        self.on_taken_back: Callable[[], object] = lambda: None
        """Called after something was taken back."""

    def __enter__(self) -> None:
        lock = _UNLOCKED if self._holder == get_ident() else self._lock()
        lock.__enter__()
        self._holder = get_ident()
        self._open.append((lock, len(self._steps)))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        lock, mark = self._open.pop()
        try:
            if error is not None and not getattr(error, "takes_effect", False):
                self._take_back(mark)
            elif not self._open:
                self._steps.clear()
        finally:
            if not self._open:
                self._holder = 0
            lock.__exit__(None, None, None)

    def is_inside(self) -> bool:
        """Whether the current thread is in the block."""
        return self._holder == get_ident()

    def step(self, take_back: Callable[[], object]) -> None:
        """Note how to take back the next change; harmless if that change is not made."""
        if self._open:
            self._steps.append(take_back)

    def item(self, mapping: MutableMapping[Any, Any], key: object) -> None:
        """Note what a mapping has for a key; its order is not kept."""
        if self._open:
            self._steps.append(partial(_put_back, mapping, key, mapping.get(key, _MISSING)))

    def attributes(self, thing: object, *names: str) -> None:
        """Note attributes of an object, whose values are replaced and not changed."""
        if self._open:
            before = tuple(map(getattr, repeat(thing), names))
            self._steps.append(partial(_set, thing, names, before))

    def copies(self, thing: object, *names: str) -> None:
        """Note copies of attributes of an object: of lists, dicts and deques."""
        if self._open:
            before = tuple(getattr(thing, name).copy() for name in names)
            self._steps.append(partial(_set, thing, names, before))

    def last(self, kept: deque[T], added: T) -> None:
        """Note what a deque drops at its beginning when one is added at its end."""
        if self._open:
            dropped = [kept[0]] if len(kept) == kept.maxlen else []
            self._steps.append(partial(_without_last, kept, added, dropped))

    def _take_back(self, mark: int) -> None:
        steps, self._steps = self._steps[mark:], self._steps[:mark]
        for take_back in reversed(steps):
            take_back()
        if steps:
            self.on_taken_back()


class Changing(Protocol):
    """A class with methods that change the state of a sandbox."""

    undo: Undo


def whole(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method callable from any thread, with its whole effect or none."""

    @functools.wraps(method)
    def guarded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.undo:
            return method(self, *args, **kwargs)

    return guarded


def reading(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method that changes nothing callable from any thread; no change is seen half done."""

    @functools.wraps(method)
    def guarded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.undo.is_inside():
            return method(self, *args, **kwargs)
        with self.undo:
            return method(self, *args, **kwargs)

    return guarded


def _put_back(mapping: MutableMapping[Any, Any], key: object, value: object) -> None:
    if value is _MISSING:
        mapping.pop(key, None)
    else:
        mapping[key] = value


def _without_last(kept: deque[T], added: T, dropped: list[T]) -> None:
    if kept and kept[-1] is added:
        kept.pop()
        kept.extendleft(dropped)


def _set(thing: object, names: tuple[str, ...], values: tuple[object, ...]) -> None:
    for name, value in zip(names, values, strict=True):
        object.__setattr__(thing, name, value)
