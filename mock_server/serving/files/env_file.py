"""Files for other processes, and what a client needs as lines for a shell."""

import contextlib
import os
import shlex
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path


def exports(variables: Mapping[str, str]) -> str:
    """Return lines that can be pasted into a shell."""
    return "".join(f"export {name}={shlex.quote(text)}\n" for name, text in variables.items())


def write_env_file(path: Path, variables: Mapping[str, str]) -> None:
    """Write a file that ``docker --env-file``, ``node --env-file`` and a shell can read.

    Args:
        path: The file, or a symbolic link to it. What is there is replaced.
        variables: What to write, without quotes: no value has a space or a quote.

    Raises:
        OSError: It cannot be written.
    """
    write_file(path, "".join(f"{name}={text}\n" for name, text in variables.items()))


def replaceable(path: Path) -> Path:
    """Return the file that a path stands for, which may be missing: the target of a symbolic link.

    Raises:
        OSError: It is something else, which a file must not take the place of, such as a device.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return path.resolve()
    if not stat.S_ISREG(mode):
        raise OSError("it is not a regular file, and would be replaced by one; name another path")
    return path.resolve()


def write_file(path: Path, text: str) -> None:
    """Write a file that only its owner may read.

    It appears complete or not at all, also where an old one is read at the same time. A symbolic
    link to it stays.

    Raises:
        OSError: It cannot be written, or something else than a file is there.
    """
    path = replaceable(path)
    # It is created with mode 0600.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
