"""What the doors in process have in common: who is ours, who waits, who else may run."""

import threading
from collections.abc import Callable

from pytest_turris.core.wire.hosts import HOSTS, is_decoy
from pytest_turris.core.wire.messages import Request, Response

Handle = Callable[[Request], Response]

_TURRIS = frozenset(HOSTS.values())

# Held for ever: to ask for it is to sleep. Tests replace ``time.sleep`` and count its calls.
_NEVER = threading.Lock()
_NEVER.acquire()
_A_MOMENT = 1e-6


def is_ours(host: str) -> bool:
    """Whether a sandbox answers for a host, lower-case and without its port."""
    return host in _TURRIS or is_decoy(host)


def yield_to_other_threads() -> None:
    """Let other threads run, as a socket does before it answers.

    It takes some 60 µs, nearly all of it the system's; a process with one thread pays nothing.
    """
    if threading.active_count() > 1:
        _NEVER.acquire(timeout=_A_MOMENT)


def timeout_message(response: Response, timeout: float | None) -> str:
    """Why the client gave up, if the answer took longer than it waits; else nothing."""
    if timeout is None or response.delay.total_seconds() <= timeout:
        return ""
    return f"scripted fault: the answer takes {response.delay}, the client waits {timeout} s"
