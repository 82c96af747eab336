"""A listening socket that nothing has a reason to connect to."""

import select
import socket
from types import TracebackType
from typing import Self


class CanaryTripped(AssertionError):  # noqa: N818 - the name says what happened
    """Something connected to the canary."""


class Canary:
    """Listens on a free port of this machine; ``url`` leads there."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url: str = f"http://127.0.0.1:{self._listener.getsockname()[1]}/turris-trap"

    def check(self) -> None:
        """Raise CanaryTripped if something connected, or connects within 50 ms."""
        if select.select([self._listener], [], [], 0.05)[0]:
            raise CanaryTripped("the receiver connected to a URL that stood in the payload")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()
