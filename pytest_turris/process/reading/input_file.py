"""Reads a file that a user names, within a limit."""

import stat
from pathlib import Path

LARGEST_MIB = 128
"""Far more than a command needs; the parsers take several times as much memory."""

_MIB = 1024 * 1024


def read_input(path: Path) -> bytes:
    """Return the content of a file, or what comes out of a pipe.

    Raises:
        OSError: It cannot be read, is a device, or is too large.
    """
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise OSError("it is a device, not a regular file")  # its content may have no end
    with path.open("rb") as file:
        content = file.read(LARGEST_MIB * _MIB + 1)
    if len(content) > LARGEST_MIB * _MIB:
        raise OSError(f"it is larger than {LARGEST_MIB} MiB")
    return content
