"""Which view answers which path below that of a sandbox."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from mock_server.page.visit import Answer


@dataclass(frozen=True)
class Route:
    """A method and a path, such as ``requests/{number}``, with its view.

    The view is given the visit, and the parameters of the path by name.
    """

    method: str
    path: str
    view: Callable[..., Answer]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path as an expression."""
        return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.path))
