"""The system calls in which threads wait, from Linux."""

import contextlib
import platform
from pathlib import Path

FUTEX = {"x86_64": "202", "aarch64": "98"}.get(platform.machine(), "")
"""The number of the one by which threads wait for each other; empty where it is not known."""

_PRIVATE = 0x80
"""The flag of a lock that no other process has."""


def system_call_of(thread: int | None, process: int | str = "self") -> list[str]:
    """The system call of a thread, with its arguments; empty if that is not known."""
    try:
        with open(f"/proc/{process}/task/{thread}/syscall", "rb") as file:  # noqa: PTH123 - read often, and a Path takes longer
            return file.read().decode().split()
    except OSError:
        return []


def waits_for_itself(process: int) -> bool:
    """Whether a process will wait forever: for a lock that another of its threads has to release.

    It has no other thread, as after a fork while another thread held that lock.
    """
    threads = 0
    with contextlib.suppress(OSError):  # it may have ended
        threads = sum(1 for _ in Path(f"/proc/{process}/task").iterdir())
    match system_call_of(process, process) if threads == 1 else []:
        case [number, _, operation, _, timeout, *_]:
            is_private = bool(int(operation, 16) & _PRIVATE)
            return number == FUTEX and is_private and timeout == "0x0"
    return False
