"""What may stand where a file is expected."""

import os
import stat
from pathlib import Path

import pytest

SPECIAL = ("pipe", "link to a pipe", "folder", "device")


def special_file(kind: str, folder: Path) -> Path:
    """Make something of a kind in a folder, and return its path."""
    path = folder / "special"
    if kind == "folder":
        path.mkdir()
    elif kind == "device":
        if os.geteuid() != 0:
            pytest.skip("only root can make a device")
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # as /dev/zero
    else:
        os.mkfifo(path)
    if kind != "link to a pipe":
        return path
    link = folder / "link"
    link.symlink_to(path)
    return link


def kind_and_mode(path: Path) -> int:
    """What is at a path, and who may use it."""
    return path.lstat().st_mode


def raising(error: OSError) -> None:
    """What to call for an error that a test does not expect."""
    raise error
