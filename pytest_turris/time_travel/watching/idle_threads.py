"""Threads that did not run since the clock can move: they do nothing for the test's own call.

Such as a server, an event loop or a listener in the background that waits for a socket.
"""

import re
import threading
from types import FrameType

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.watching.frames import frames_of_threads

_RUNS = re.compile(rb"ctxt_switches:\s+(\d+)")


class IdleThreads:
    """The threads that exist when this is made, as long as they do not run."""

    def __init__(self) -> None:
        self.since: float = steady_time()
        """When this was made, on the system's monotonic clock."""
        frames = frames_of_threads()
        here = threading.get_ident()
        # By the system's id: Python gives the other one to a new thread as soon as one has ended.
        self._runs = {
            thread.native_id: runs_of(thread.native_id, frames[ident])
            for thread in threading.enumerate()
            if (ident := thread.ident) in frames and ident != here
        }

    def is_idle(self, thread: threading.Thread, frame: FrameType) -> bool:
        """Whether a thread has not run since; one that has will not be idle again.

        Args:
            thread: A thread that waits for something real, or with a timeout.
            frame: Where it is.
        """
        known = self._runs.get(thread.native_id)
        if known is None:
            return False
        if known == runs_of(thread.native_id, frame):
            return True
        del self._runs[thread.native_id]
        return False


def runs_of(native_id: int | None, frame: FrameType) -> object:
    """How often a thread ran, from Linux; elsewhere the instruction at which it is."""
    try:
        with open(f"/proc/self/task/{native_id}/status", "rb") as file:  # noqa: PTH123 - of the system
            return _RUNS.findall(file.read()) or (id(frame), frame.f_lasti)
    except OSError:
        return id(frame), frame.f_lasti
