"""What a client needs, as lines for a shell or for a file."""

import contextlib
import os
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path


def exports(variables: Mapping[str, str]) -> str:
    """Return lines that can be pasted into a shell."""
    return "".join(f"export {name}={shlex.quote(text)}\n" for name, text in variables.items())


def write_env_file(path: Path, variables: Mapping[str, str]) -> None:
    """Write a file that ``docker --env-file``, ``node --env-file`` and a shell can read.

    It appears complete or not at all, also where an old one is read at the same time, and only its
    owner may read it.

    Args:
        path: The file. What is there is replaced.
        variables: What to write, without quotes: no value has a space or a quote.

    Raises:
        OSError: It cannot be written.
    """
    folder = path.parent
    # It is created with mode 0600.
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{name}={text}\n" for name, text in variables.items())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
