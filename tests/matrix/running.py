"""One cell: its environment, its run, and what became of it."""

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, Protocol

from .cells import Cell
from .pythons import find

CONSUMER = Path(__file__).parent / "consumer"
PATIENCE = 120

_VERSIONS = re.compile(r"Python (\S+), pytest-([^,\s]+)")
_COUNTS = re.compile(r"=+ (.*\d+ passed.*) in \S+ =+")
_OF_THIS_RUN = ("PYTEST_", "COVERAGE_", "COV_", "TURRIS_", "VIRTUAL_ENV")


class Homes(Protocol):
    """Where cells live."""

    def python(self, cell: Cell, base: str) -> str:
        """The interpreter of a cell's environment."""


@dataclass(frozen=True)
class Outcome:
    """What became of a cell."""

    cell: Cell
    state: Literal["passed", "failed", "skipped"]
    words: str
    """One line: versions and counts, or why there are none."""

    output: str = ""
    seconds: float = 0


def run(cell: Cell, homes: Homes, consumer: Path = CONSUMER) -> Outcome:
    """Run a consumer's suite as a cell wants it; never raises for what fails there."""
    base = find(cell.python) if cell.python else sys.executable
    if base is None:
        return Outcome(cell, "skipped", f"this machine has no Python {cell.python}")
    begun = time.monotonic()
    try:
        done = _tested(cell, homes.python(cell, base), consumer)
    except subprocess.CalledProcessError as error:
        return Outcome(cell, "failed", "could not be installed", error.stderr)
    except subprocess.TimeoutExpired as late:
        words = f"did not end within {PATIENCE} s"
        return Outcome(cell, "failed", words, (late.stdout or b"").decode())
    counts, versions = _COUNTS.search(done.stdout), _VERSIONS.search(done.stdout)
    passed = done.returncode == 0 and counts is not None
    ended = counts[1] if counts else f"exit code {done.returncode}"
    words = f"Python {versions[1]}, pytest {versions[2]}, {ended}" if versions else ended
    state: Literal["passed", "failed"] = "passed" if passed else "failed"
    return Outcome(cell, state, words, done.stdout + done.stderr, time.monotonic() - begun)


def _tested(cell: Cell, python: str, consumer: Path) -> subprocess.CompletedProcess[str]:
    """The run itself, in a copy of the consumer's project, so that nothing of ours is near."""
    with TemporaryDirectory(prefix="turris-matrix-") as folder:
        shutil.copytree(consumer, folder, dirs_exist_ok=True)
        return subprocess.run(
            [python, "-m", "pytest", "-ra", "--color=no", *cell.args, *cell.files],
            cwd=folder,
            env=_inherited() | cell.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )


def _inherited() -> dict[str, str]:
    """The environment, without what tells a run about the one that started it."""
    return {name: v for name, v in os.environ.items() if not name.startswith(_OF_THIS_RUN)}
