"""What threads do, seen from the system calls in which they are; only Linux shows these."""

import platform
import threading
from collections.abc import Callable
from typing import Literal

from pytest_turris.process.system_calls import FUTEX, system_call_of
from pytest_turris.time_travel.watching.locks import goes_on

State = Literal["working", "waiting", "real"]
"""``waiting``: another thread, or the clock, lets it go on; ``real``: a socket and such does."""

_SLEEP = {"x86_64": ("35", "230"), "aarch64": ("101", "115")}.get(platform.machine(), ())
"""Sleeps that began before the clock could move."""
_ACCEPT = {"x86_64": ("43", "288"), "aarch64": ("202", "242")}.get(platform.machine(), ())
"""A server's thread: any client that connects is at work, or waits for the clock."""


def thread_state(native_id: int | None) -> State | None:
    """What a thread does; None if that is unknown, or for a timed wait for another thread."""
    return state_in(system_call_of(native_id))


def state_in(call: list[str]) -> State | None:
    """What a thread does in a system call, as ``thread_state``."""
    if not call:
        return None
    if call[0] == "running":
        return "working"
    if call[0] in _SLEEP or call[0] in _ACCEPT:
        return "waiting"
    if call[0] != FUTEX:
        return "real" if FUTEX else None
    if goes_on(call):
        return "working"
    return "waiting" if call[4] == "0x0" else None


def rests() -> Callable[[], bool]:
    """Whether the current thread is in a system call, asked by another; true where unknown."""
    native_id = threading.get_native_id()
    return lambda: thread_state(native_id) != "working"
