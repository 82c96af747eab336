"""Raises an exception at the n-th line of the core that a call reaches.

It stands for what can end a call anywhere: Ctrl-C, a signal of a timeout plugin, no memory, a bug.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest_turris.core

CORE = str(Path(pytest_turris.core.__file__).parent)
UNDO = str(Path(CORE) / "undo.py")
"""It keeps the log of what to take back, so that nothing is left that could take back its own."""


class Injected(BaseException):
    """Raised in the middle of a call; like KeyboardInterrupt it is no Exception."""


class Lines:
    """Counts the lines of the core that run, and raises at one of them.

    Args:
        at: The number of that line, from 1; 0 for none.
    """

    def __init__(self, at: int = 0) -> None:
        self.seen = 0
        self.place = ""
        self._at = at

    def run(self, work: Callable[[], object]) -> None:
        """Do something, and count.

        Raises:
            Injected: The line was reached.
        """
        before = sys.gettrace()
        sys.settrace(self._call)
        try:
            work()
        finally:
            sys.settrace(before)

    def _call(self, frame: FrameType, _event: str, _given: Any) -> Any:
        file = frame.f_code.co_filename
        return self._line if file.startswith(CORE) and file != UNDO else None

    def _line(self, frame: FrameType, event: str, _given: Any) -> Any:
        if event == "line":
            self.seen += 1
            if self.seen == self._at:
                self.place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                raise Injected
        return self._line
