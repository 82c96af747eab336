"""Which view answers which path below that of a sandbox."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pytest_turris.core.wire.messages import Response


@dataclass(frozen=True)
class Route:
    """A method and a path, such as ``requests/{number}``, with its view.

    The view is given the visit, and the parameters of the path by name. It runs in a thread, so it
    may wait.
    """

    method: str
    path: str
    view: Callable[..., Response]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path as an expression."""
        return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.path))
