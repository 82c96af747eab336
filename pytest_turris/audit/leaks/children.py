"""Taps where a child process is started: its arguments can be read by every user of the machine."""

import os
import subprocess
from collections.abc import Callable
from typing import Any

from pytest_turris.audit.leaks.traces import Note, repr_of
from pytest_turris.process.patch import Replacement

_STARTERS = ("system", "posix_spawn", "posix_spawnp")
"""Functions of ``os``, as far as the machine has them; a forked process is out of reach."""


def starting_taps(note: Note) -> list[Replacement]:
    """Replacements that note the arguments of each process."""

    def popen(original: Callable[..., None]) -> Callable[..., None]:
        def start(process: Any, args: Any, *rest: Any, **options: Any) -> None:  # noqa: ANN401 - as Popen
            note("LK-07", repr_of(args), name="a child process")
            original(process, args, *rest, **options)

        return start

    def function(original: Callable[..., Any]) -> Callable[..., Any]:
        def start(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - as the function of os
            # The environment comes third: only its owner can read it.
            note("LK-07", repr_of(args[:2]), name="a child process")
            return original(*args, **options)

        return start

    functions = [(os, name, function) for name in _STARTERS if hasattr(os, name)]
    return [(subprocess.Popen, "__init__", popen), *functions]
