"""Runs one cell in its environment."""

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
TIMEOUT = 120

_VERSIONS = re.compile(r"Python (\S+), pytest-([^,\s]+)")
_COUNTS = re.compile(r"=+ (.*\d+ passed.*) in \S+ =+")
_NOT_INHERITED = ("PYTEST_", "COVERAGE_", "COV_", "TURRIS_", "VIRTUAL_ENV")


class Interpreters(Protocol):
    """Provides the interpreters of the cells' environments."""

    def python(self, cell: Cell, base: str) -> str:
        """Return the interpreter of a cell's environment."""


@dataclass(frozen=True)
class Outcome:
    """The result of a cell."""

    cell: Cell
    state: Literal["passed", "failed", "skipped"]
    summary: str
    """One line: versions and counts, or why there are none."""

    output: str = ""
    seconds: float = 0


def run(cell: Cell, environments: Interpreters, consumer: Path = CONSUMER) -> Outcome:
    """Run a consumer's suite in a cell. Failures are part of the outcome, not exceptions."""
    base = find(cell.python) if cell.python else sys.executable
    if base is None:
        return Outcome(cell, "skipped", f"this machine has no Python {cell.python}")
    begun = time.monotonic()
    try:
        done = _run_pytest(cell, environments.python(cell, base), consumer)
    except subprocess.CalledProcessError as error:
        return Outcome(cell, "failed", "could not be installed", error.stderr)
    except subprocess.TimeoutExpired as late:
        summary = f"did not end within {TIMEOUT} s"
        return Outcome(cell, "failed", summary, (late.stdout or b"").decode())
    counts, versions = _COUNTS.search(done.stdout), _VERSIONS.search(done.stdout)
    passed = done.returncode == 0 and counts is not None
    ended = counts[1] if counts else f"exit code {done.returncode}"
    summary = f"Python {versions[1]}, pytest {versions[2]}, {ended}" if versions else ended
    state: Literal["passed", "failed"] = "passed" if passed else "failed"
    return Outcome(cell, state, summary, done.stdout + done.stderr, time.monotonic() - begun)


def _run_pytest(cell: Cell, python: str, consumer: Path) -> subprocess.CompletedProcess[str]:
    """Run pytest in a copy of the consumer's project, outside this repository."""
    with TemporaryDirectory(prefix="turris-matrix-") as folder:
        shutil.copytree(consumer, folder, dirs_exist_ok=True)
        return subprocess.run(
            [python, "-m", "pytest", "-ra", "--color=no", *cell.args, *cell.files],
            cwd=folder,
            env=_inherited() | cell.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )


def _inherited() -> dict[str, str]:
    """Return the environment variables, without those that are about the run of the matrix."""
    return {name: v for name, v in os.environ.items() if not name.startswith(_NOT_INHERITED)}
