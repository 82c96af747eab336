"""Environment variables with another value for child processes."""

import os
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache, wraps
from typing import Any

from pytest_turris.process.patch import Patch

_ENV = 9
"""The place of ``env`` among the parameters of ``Popen``, after the first."""

_replaced: list[tuple[str, str]] = []
"""Values of this process with those for child processes, the newest last."""


class ChildrenFind(AbstractContextManager[None]):
    """Gives child processes another value of a variable, for every way to start them.

    A child that inherits the environment finds it there, and a child that gets one (``env=``)
    finds it in place of each value that begins with the one here. A forked child is a copy
    of this process, and keeps its value. Every test enters one: a generator takes longer.
    ``started`` is the number of children of this process so far that ``Popen`` gave another value.

    Args:
        name: A variable that is set.
        ours: Its value in this process.
        theirs: Its value for child processes.
    """

    started = 0

    def __init__(self, name: str, ours: str, theirs: str) -> None:
        self._name = name
        self._values = ours, theirs

    def __enter__(self) -> None:
        _replaced.append(self._values)
        POPEN_PATCH.__enter__()
        # The environment of the process, as a child inherits it; ``os.environ`` stays as it is.
        os.putenv(self._name, self._values[1])

    def __exit__(self, *_: object) -> None:
        POPEN_PATCH.__exit__()
        _replaced.remove(self._values)


@lru_cache(maxsize=1)
def _finding(original: Callable[..., None]) -> Callable[..., None]:
    """The ``__init__`` of ``Popen``, which replaces values of the environment that it is given."""

    @wraps(original)
    def init(self: Any, args: Any, *more: Any, **keywords: Any) -> None:  # noqa: ANN401 - as the original
        given = keywords.get("env", more[_ENV] if len(more) > _ENV else None)
        ChildrenFind.started += _finds_another(os.environ if given is None else given)
        if keywords.get("env") is not None:
            keywords["env"] = _environment(keywords["env"])
        if len(more) > _ENV:
            more = (*more[:_ENV], _environment(more[_ENV]), *more[_ENV + 1 :])
        original(self, args, *more, **keywords)

    return init


POPEN_PATCH = Patch((subprocess.Popen, "__init__", _finding))
"""A run of tests keeps it open, as replacing a method takes longer than the rest of a context."""


def _finds_another(given: Any) -> bool:  # noqa: ANN401 - any mapping of texts or bytes
    """Whether a child with this environment finds a value that is not there."""
    values = given.values() if _replaced and hasattr(given, "items") else ()
    return any(_theirs(value) != value for value in values)


def _environment(given: Any) -> Any:  # noqa: ANN401 - any mapping of texts or bytes
    if not hasattr(given, "items"):
        return given
    return {key: _theirs(value) for key, value in given.items()}


def _theirs(value: Any) -> Any:  # noqa: ANN401 - a text or bytes
    if isinstance(value, bytes):
        return os.fsencode(_theirs(os.fsdecode(value)))
    if isinstance(value, str):
        for ours, theirs in reversed(_replaced):
            if value.startswith(ours):
                return theirs + value.removeprefix(ours)
    return value
