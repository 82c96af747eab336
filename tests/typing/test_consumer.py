"""Consumers with strict type checkers: what they write is understood, mistakes are found."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_turris

HERE = Path(__file__).parent
ROOT = Path(pytest_turris.__file__).parent.parent
MISTAKES = [11, 12, 13, 14, 15]

PYRIGHT = shutil.which("pyright", path=Path(sys.executable).parent)


def output(*command: str) -> str:
    """What a tool writes, run where no configuration of ours is found."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, cwd=HERE.anchor, env=environment, capture_output=True, text=True, check=False
    )
    return run.stdout


def mypy(path: Path, cache: Path) -> list[int]:
    """The lines in which mypy finds something."""
    strict = ("--strict", "--config-file=", "--no-error-summary", "--hide-error-context")
    # The package is installed for consumers: it is followed, and its own errors are not theirs.
    found = output(
        sys.executable, "-m", "mypy", *strict, "--follow-imports=silent",
        f"--cache-dir={cache}", str(path),
    )  # fmt: skip
    lines = [line for line in found.splitlines() if ": error:" in line]
    return sorted({int(line.split(":")[1]) for line in lines})


def pyright(path: Path) -> list[int]:
    """The lines in which pyright finds something."""
    assert PYRIGHT
    found = output(PYRIGHT, "--outputjson", "--pythonpath", sys.executable, str(path))
    errors = json.loads(found)["generalDiagnostics"]
    return sorted({error["range"]["start"]["line"] + 1 for error in errors})


@pytest.fixture(scope="module")
def needs_pyright() -> None:
    """Its package fetches the checker itself on first use, which takes a network."""
    if PYRIGHT is None or not output(PYRIGHT, "--version").startswith("pyright"):
        pytest.skip("pyright is not installed")


def test_package_says_that_it_is_typed() -> None:
    """``py.typed`` is in the package (PEP 561)."""
    assert Path(pytest_turris.__file__).with_name("py.typed").is_file()


def test_mypy_strict(tmp_path: Path) -> None:
    """The checker mypy finds nothing in what is right, and each of the mistakes."""
    assert mypy(HERE / "consumer.py", tmp_path) == []
    assert mypy(HERE / "consumer_wrong.py", tmp_path) == MISTAKES


@pytest.mark.usefixtures("needs_pyright")
def test_pyright_strict() -> None:
    """The checker pyright finds nothing in what is right, and each of the mistakes."""
    assert pyright(HERE / "consumer.py") == []
    assert pyright(HERE / "consumer_wrong.py") == MISTAKES


@pytest.mark.usefixtures("needs_pyright")
def test_public_interface_is_completely_typed() -> None:
    """Every public name has a type that all checkers infer alike."""
    assert PYRIGHT
    found = json.loads(
        output(
            PYRIGHT, "--verifytypes", "pytest_turris", "--ignoreexternal", "--outputjson",
            "--pythonpath", sys.executable,
        )
    )["typeCompleteness"]  # fmt: skip
    incomplete = [name["name"] for name in found["symbols"] if not name["isTypeKnown"]]
    assert found["symbols"]
    assert incomplete == []
    assert found["completenessScore"] == 1
