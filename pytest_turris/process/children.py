"""Environment variables with another value for child processes."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from pytest_turris.process.patch import Patch

_ENV = 9
"""The place of ``env`` among the parameters of ``Popen``, after the first."""


@contextmanager
def children_find(name: str, theirs: str) -> Iterator[None]:
    """Give child processes another value of a variable, for every way to start them.

    A child that inherits the environment finds it there, and a child that gets one (``env=``)
    finds it in place of each value that begins with the one here. A forked child is a copy
    of this process, and keeps its value.

    Args:
        name: A variable that is set.
        theirs: Its value for child processes.
    """
    ours = os.environ[name]

    def replaced(environment: Any) -> Any:  # noqa: ANN401 - any mapping of texts or bytes
        if not hasattr(environment, "items"):
            return environment
        return {key: _theirs(value, ours, theirs) for key, value in environment.items()}

    def wrap(original: Callable[..., None]) -> Callable[..., None]:
        @wraps(original)
        def init(self: Any, args: Any, *more: Any, **keywords: Any) -> None:  # noqa: ANN401 - as the original
            if keywords.get("env") is not None:
                keywords["env"] = replaced(keywords["env"])
            if len(more) > _ENV:
                more = (*more[:_ENV], replaced(more[_ENV]), *more[_ENV + 1 :])
            original(self, args, *more, **keywords)

        return init

    with Patch((subprocess.Popen, "__init__", wrap)):
        # The environment of the process, as a child inherits it; ``os.environ`` stays as it is.
        os.putenv(name, theirs)
        yield


def _theirs(value: Any, ours: str, theirs: str) -> Any:  # noqa: ANN401 - a text or bytes
    if isinstance(value, bytes):
        return os.fsencode(_theirs(os.fsdecode(value), ours, theirs))
    if isinstance(value, str) and value.startswith(ours):
        return theirs + value.removeprefix(ours)
    return value
