"""Consumers with strict type checkers: what they write is understood, mistakes are found."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from doubles import doc_modules

import pytest_turris

HERE = Path(__file__).parent
ROOT = Path(pytest_turris.__file__).parent.parent
MISTAKES = [f"consumer_wrong.py:{line}" for line in (11, 12, 13, 14, 15)]

PYRIGHT = shutil.which("pyright", path=Path(sys.executable).parent)


def output(*command: str) -> str:
    """What a tool writes, run where no configuration of ours is found."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, cwd=HERE.anchor, env=environment, capture_output=True, text=True, check=False
    )
    return run.stdout


def mypy(*paths: Path) -> list[str]:
    """What mypy finds: the name of each file, with the line."""
    strict = ("--strict", "--config-file=", "--no-error-summary", "--hide-error-context")
    # The package is installed for consumers: it is followed, and its own errors are not theirs.
    found = output(
        sys.executable, "-m", "mypy", *strict, "--follow-imports=silent", "--no-color-output",
        f"--cache-dir={ROOT / '.mypy_cache' / 'consumers'}", *map(str, paths),
    )  # fmt: skip
    lines = [line for line in found.splitlines() if ": error:" in line]
    print("\n".join(lines))  # noqa: T201 - pytest shows it if the test fails
    return _places((Path(line).name, int(number)) for line, number, *_ in _split(lines))


def pyright(*paths: Path) -> list[str]:
    """What pyright finds, in the same form."""
    assert PYRIGHT
    found = output(PYRIGHT, "--outputjson", "--pythonpath", sys.executable, *map(str, paths))
    errors = json.loads(found)["generalDiagnostics"]
    print(*(f"{one['file']}: {one['message']}" for one in errors), sep="\n")  # noqa: T201 - as above
    return _places((Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in errors)


def _split(lines: Iterable[str]) -> Iterator[list[str]]:
    return (line.split(":") for line in lines)


def _places(found: Iterable[tuple[str, int]]) -> list[str]:
    return [f"{name}:{line}" for name, line in sorted(set(found))]


@pytest.fixture(scope="module")
def needs_pyright() -> None:
    """Its package fetches the checker itself on first use, which takes a network."""
    if PYRIGHT is None or not output(PYRIGHT, "--version").startswith("pyright"):
        pytest.skip("pyright is not installed")


def test_package_says_that_it_is_typed() -> None:
    """``py.typed`` is in the package (PEP 561)."""
    assert Path(pytest_turris.__file__).with_name("py.typed").is_file()


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The Python of all pages, in files."""
    return doc_modules.write(tmp_path_factory.mktemp("pages"))


def test_mypy_strict(documented: list[Path]) -> None:
    """The checker mypy finds nothing in what is right and on any page, and each of the mistakes."""
    assert mypy(HERE / "consumer.py", HERE / "consumer_wrong.py", *documented) == MISTAKES


@pytest.mark.usefixtures("needs_pyright")
def test_pyright_strict(documented: list[Path]) -> None:
    """The checker pyright finds nothing in what is right and on any page, and each mistake.

    It is not asked about modules that use a library without types: it infers them from its source.
    """
    typed = [path for path in documented if not doc_modules.is_untyped(path.read_text())]
    assert len(typed) > len(documented) / 2
    assert pyright(HERE / "consumer.py", HERE / "consumer_wrong.py", *typed) == MISTAKES


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
