"""How much memory the process of a receiver took at most: on Linux, as the kernel counts it."""

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_PROC = Path("/proc")
_LISTENS = "0A"
_RESET_PEAK = "5"
"""Written to ``clear_refs``: the peak begins at what is taken now (proc(5))."""


class PeakMemory:
    """The peak of the resident memory of some processes, from now on.

    Args:
        processes: Their ids. Those that cannot be read are left out.
    """

    def __init__(self, processes: Iterable[int]) -> None:
        self._before: dict[int, int] = {}
        for process in processes:
            with contextlib.suppress(OSError):
                (_PROC / str(process) / "clear_refs").write_text(_RESET_PEAK)
                self._before[process] = _resident(process, "VmRSS")

    def growth(self) -> int | None:
        """Return by how many bytes the process that grew most did; None if none was watched."""
        grown = []
        for process, before in self._before.items():
            with contextlib.suppress(OSError):  # it may have ended
                grown.append(_resident(process, "VmHWM") - before)
        return max(grown, default=None)


def listening_processes(port: int) -> list[int]:
    """Return the ids of the processes of this machine that listen on a TCP port.

    Only processes of the same user are found, and only on Linux.
    """
    if sys.platform != "linux":
        return []
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    return [process for process in _processes() if sockets & set(_open_files(process))]


def _resident(process: int, field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+) kB", (_PROC / str(process) / "status").read_text())
    return int(found[1]) * 1024 if found else 0


def _listening_inodes(port: int) -> Iterator[str]:
    # A line: "0: 0100007F:1F90 00000000:0000 0A ... inode"; thousands may wait for their end.
    listens = re.compile(rf":{port:04X} [0-9A-F]+:[0-9A-F]+ {_LISTENS} (?:\S+ +){{5}}(\d+)")
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):  # a kernel without IPv6
            yield from listens.findall((_PROC / "net" / table).read_text())


def _processes() -> Iterator[int]:
    with os.scandir(_PROC) as entries:
        yield from (int(entry.name) for entry in entries if entry.name.isdecimal())


def _open_files(process: int) -> Iterator[str]:
    # Another user's process, or one that just ended, cannot be read.
    with contextlib.suppress(OSError), os.scandir(_PROC / str(process) / "fd") as links:
        for link in links:
            with contextlib.suppress(OSError):
                yield os.readlink(link.path)  # noqa: PTH115 - there are thousands, and a Path for each takes most of the time
