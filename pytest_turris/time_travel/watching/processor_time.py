"""How much processor time threads use, from Linux: on a busy machine their turns are rare."""

import os
import threading

_SOME = 0.05
"""Seconds: more than a thread uses that only looks now and then whether it may go on."""


class ProcessorTime:
    """Which threads get on with their work, however slowly."""

    def __init__(self) -> None:
        self._used: dict[int, float] = {}

    def begin(self, ident: int) -> None:
        """Note how much a thread has used, unless that is noted."""
        if ident not in self._used:
            self._used[ident] = _used_by(ident)

    def has_grown(self, ident: int) -> bool:
        """Whether a thread used some since it was noted; then that is noted."""
        used = _used_by(ident)
        if used - self._used[ident] < _SOME:
            return False
        self._used[ident] = used
        return True


def _used_by(ident: int) -> float:
    """The seconds of a thread; 0 where they are not known."""
    native_id = next((one.native_id for one in threading.enumerate() if one.ident == ident), None)
    try:
        with open(f"/proc/self/task/{native_id}/stat", "rb") as file:  # noqa: PTH123 - of the system
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    in_code, in_system = fields[11:13]
    return (int(in_code) + int(in_system)) / os.sysconf("SC_CLK_TCK")
