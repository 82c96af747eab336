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
from typing import Any, Concatenate, NoReturn, ParamSpec, Protocol, TypeVar

from pydantic_core import PydanticSerializationError

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Changing")
T = TypeVar("T")

_MISSING = object()
_UNLOCKED = nullcontext()


def refuse_copy(_: object) -> NoReturn:
    """Refuse to copy or pickle an object that exists once, such as a lock and what it guards.

    Raises:
        TypeError: Always.
    """
    raise TypeError(
        "a sandbox and its parts cannot be copied or pickled. Fix: state = turris.snapshot() has "
        "the whole state as JSON data, and turris.restore(state) goes back to it"
    )


class Undo:
    """Runs what changes the state, one thread at a time, and can take its changes back.

    A signal's exception may come between any two steps of Python code, and would leave a lock held
    that such code takes. So ``run`` takes the lock by ``with`` itself, without a call of its own
    between that and the block that frees it.

    Args:
        lock: Held while a function runs.
    """

    def __init__(self, lock: AbstractContextManager[object] = _UNLOCKED) -> None:
        self.lock: AbstractContextManager[object] = lock
        self._holder = 0
        """The thread inside, which has the lock."""
        self._steps: list[Callable[[], object]] = []
        self._is_failed = False
        """Whether steps must be taken back before anything else: an exception has ended that."""
        self.on_taken_back: Callable[[], object] = lambda: None
        """Called after something was taken back."""

    __reduce__ = refuse_copy

    def run(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function, with its whole effect or none; it may call others in this way."""
        me = get_ident()
        if self._holder == me:
            mark = len(self._steps)
            try:
                return work(*args, **kwargs)
            except BaseException as error:
                self._end(mark, error)
                raise
        with self.lock:
            self._holder = me
            try:
                if self._is_failed:
                    self._take_back(0)
                return work(*args, **kwargs)
            except BaseException as error:
                self._is_failed = True
                self._end(0, error)
                raise
            finally:
                self._holder = 0
                if not self._is_failed:
                    self._steps.clear()

    def _end(self, mark: int, error: BaseException) -> None:
        """Take a failed call back, unless its failure is the effect.

        Raises:
            BaseException: What ended the call, if pydantic-core made an ordinary error of it.
        """
        if getattr(error, "takes_effect", False):
            self._is_failed = False
        else:
            self._take_back(mark)
        if (interruption := _interruption_in(error)) is not None:
            raise interruption from None

    def is_inside(self) -> bool:
        """Whether the current thread is in the block."""
        return self._holder == get_ident()

    def step(self, take_back: Callable[[], object]) -> None:
        """Note how to take back the next change; harmless if that change is not made."""
        if self._holder:
            self._steps.append(take_back)

    def item(self, mapping: MutableMapping[Any, Any], key: object) -> None:
        """Note what a mapping has for a key; its order is not kept."""
        if self._holder:
            self._steps.append(partial(_put_back, mapping, key, mapping.get(key, _MISSING)))

    def attributes(self, thing: object, *names: str) -> None:
        """Note attributes of an object, whose values are replaced and not changed."""
        if self._holder:
            before = tuple(map(getattr, repeat(thing), names))
            self._steps.append(partial(_set, thing, names, before))

    def copies(self, thing: object, *names: str) -> None:
        """Note copies of attributes of an object: of lists, dicts and deques."""
        if self._holder:
            before = tuple(getattr(thing, name).copy() for name in names)
            self._steps.append(partial(_set, thing, names, before))

    def last(self, kept: deque[T], added: T) -> None:
        """Note what a deque drops at its beginning when one is added at its end."""
        if self._holder:
            dropped = [kept[0]] if len(kept) == kept.maxlen else []
            self._steps.append(partial(_without_last, kept, added, dropped))

    def _take_back(self, mark: int) -> None:
        """Take back the newest steps. What is interrupted goes on with the next call."""
        is_any = len(self._steps) > mark
        while (count := len(self._steps)) > mark:
            self._steps[-1]()  # harmless if it is done twice
            del self._steps[count - 1 :]
        self._is_failed = False
        if is_any:
            self.on_taken_back()


def _interruption_in(error: BaseException) -> BaseException | None:
    """Ctrl-C, or the like, that came while pydantic-core called one of our serializers.

    It wraps any exception in a ValueError, with which Ctrl-C would be a failed test. Its writer of
    JSON leaves no more of the cause than the name.
    """
    if not isinstance(error, PydanticSerializationError):
        return None
    cause = error.__cause__
    if cause is not None and not isinstance(cause, Exception):
        return cause
    return KeyboardInterrupt() if str(error).endswith("KeyboardInterrupt: ") else None


class Changing(Protocol):
    """A class with methods that change the state of a sandbox."""

    undo: Undo


def whole(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method callable from any thread, with its whole effect or none."""

    @functools.wraps(method)
    def guarded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.undo.run(method, self, *args, **kwargs)

    return guarded


def reading(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method that changes nothing callable from any thread; no change is seen half done."""

    @functools.wraps(method)
    def guarded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.undo.is_inside():
            return method(self, *args, **kwargs)
        return self.undo.run(method, self, *args, **kwargs)

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
