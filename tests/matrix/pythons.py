"""Finds the Python interpreters of this machine."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def find(version: str) -> str | None:
    """Return a working interpreter of a version such as ``3.13``, or None."""
    return next((found for found in _candidates(version) if _version_of(found) == version), None)


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    name = f"python{version}"
    if on_path := shutil.which(name):
        yield on_path
    # pyenv's shims are on the path, but refuse to run a version that is not activated.
    for home in (os.environ.get("PYENV_ROOT"), "~/.pyenv"):
        for path in sorted(Path(home or ".").expanduser().glob(f"versions/{version}.*/bin/{name}")):
            yield str(path)


def _version_of(python: str) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    run = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return run.stdout.strip() if run.returncode == 0 else None
