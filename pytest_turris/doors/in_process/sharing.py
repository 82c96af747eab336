"""The common parts of the doors in process: Turris hosts, timeouts, and yielding."""

import datetime as dt
import threading

from pytest_turris.core.wire.hosts import HOSTS, is_decoy
from pytest_turris.core.wire.messages import Request, Response

_TURRIS = frozenset(HOSTS.values())

# Never released: waiting for it is a sleep. Tests replace ``time.sleep`` and count its calls.
_HELD_LOCK = threading.Lock()
_HELD_LOCK.acquire()
_MOMENT = 1e-6


def is_ours(host: str) -> bool:
    """Whether a sandbox answers for a host; it is in lower case and without a port."""
    return host in _TURRIS or is_decoy(host)


def yield_to_other_threads() -> None:
    """Let other threads run, as a socket does before it answers.

    It takes some 60 µs, nearly all of it the system's; a process with one thread pays nothing.
    """
    if threading.active_count() > 1:
        _HELD_LOCK.acquire(timeout=_MOMENT)


def timeout_message(delay: dt.timedelta, timeout: float | None) -> str:
    """Why the client gave up, if it waits ``timeout`` seconds and that is too short; else empty."""
    if timeout is None or delay.total_seconds() <= timeout:
        return ""
    return f"scripted fault: the answer takes {delay}, the client waits {timeout} s"


def empty_answer(_: Request) -> Response:
    """A handler that knows no sandbox: a door answers one request with it, to try itself out."""
    return Response(status=204)
