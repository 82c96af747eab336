"""What the doors in process have in common: who is ours, who waits, who else may run."""

import threading
from collections.abc import Callable
from typing import Any

from pytest_turris.core.hosts import HOSTS, is_decoy
from pytest_turris.core.messages import Request, Response

Handle = Callable[[Request], Response]

_TURRIS = frozenset(HOSTS.values())

# Held for ever: to ask for it is to sleep. Tests replace ``time.sleep`` and count its calls.
_NEVER = threading.Lock()
_NEVER.acquire()
_A_MOMENT = 1e-6


def is_ours(host: str) -> bool:
    """Whether a sandbox answers for a host, lower-case and without its port."""
    return host in _TURRIS or is_decoy(host)


def give_way() -> None:
    """Let other threads run, as a socket does before it answers.

    It takes some 60 µs, nearly all of it the system's; a process with one thread pays nothing.
    """
    if threading.active_count() > 1:
        _NEVER.acquire(timeout=_A_MOMENT)


def outlasts(response: Response, timeout: float | None) -> str:
    """Why the client gave up, if the answer took longer than it waits; else nothing."""
    if timeout is None or response.delay.total_seconds() <= timeout:
        return ""
    return f"scripted fault: the answer takes {response.delay}, the client waits {timeout} s"


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
