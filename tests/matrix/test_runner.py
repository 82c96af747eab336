"""The runner: what fails is told and fails the run, what is missing is named, nothing is hidden."""

import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from . import running
from .__main__ import main, tell
from .cells import CELLS, Cell
from .environments import Environments, wheel
from .pythons import find

PLAIN = Cell(name="plain", env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
OLD = replace(PLAIN, name="old", python="2.99")
FINE = "def test_fine(): pass\n"
WRONG = "def test_wrong(): assert 'the answer' == 'something else'\n"


class Here:
    """The environment of this very run stands for that of each cell."""

    def python(self, cell: Cell, base: str) -> str:
        """The interpreter that was asked for."""
        return base


class Broken:
    """Nothing can be installed."""

    def python(self, cell: Cell, base: str) -> str:
        """Fail as uv does."""
        raise subprocess.CalledProcessError(1, ["uv"], stderr="No solution found")


@pytest.fixture
def consumer(tmp_path: Path) -> Path:
    """A consumer's project: one file for each way that a suite can end."""
    folder = tmp_path / "consumer"
    folder.mkdir()
    (folder / "test_directory.py").write_text(FINE)
    (folder / "test_wrong.py").write_text(WRONG)
    (folder / "test_left_out.py").write_text("import pytest\npytest.skip(allow_module_level=True)")
    (folder / "test_late.py").write_text("import time\ndef test_late(): time.sleep(60)")
    return folder


def test_passing_cells_pass(consumer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A cell that passes has a row with versions and counts, and its output is not printed."""
    cells = [PLAIN, replace(PLAIN, name="another", args=("-v",))]
    assert tell(cells, Here(), consumer) == 0
    out = capsys.readouterr().out
    assert f"Python {platform.python_version()}, pytest {pytest.__version__}, 1 passed" in out
    assert out.endswith("matrix: 2 passed, 0 failed, 0 skipped\n")
    assert "=====" not in out


def test_failing_cell_fails_the_run(consumer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One failure beside a success is a failure, and the whole output of its run is shown."""
    wrong = replace(PLAIN, name="wrong", files=("test_directory.py", "test_wrong.py"))
    assert tell([PLAIN, wrong], Here(), consumer) == 1
    out = capsys.readouterr().out
    assert "===== wrong =====" in out
    assert "===== plain =====" not in out
    assert "AssertionError: assert 'the answer' == 'something else'" in out
    assert out.endswith("matrix: 1 passed, 1 failed, 0 skipped\n")


@pytest.mark.parametrize(
    ("file", "code"), [("test_left_out.py", 5), ("test_missing.py", 4)], ids=["skips", "missing"]
)
def test_cell_without_a_passed_test_fails(consumer: Path, file: str, code: int) -> None:
    """A suite that skips all it has, or is not there, has not passed."""
    outcome = running.run(replace(PLAIN, name="empty", files=(file,)), Here(), consumer)
    assert (outcome.state, outcome.words.rpartition(", ")[2]) == ("failed", f"exit code {code}")


def test_missing_python_is_skipped_by_name(
    consumer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Python that this machine lacks is a row that says so; the other cells decide."""
    assert tell([PLAIN, OLD], Here(), consumer) == 0
    out = capsys.readouterr().out
    assert "this machine has no Python 2.99" in out
    assert out.endswith("matrix: 1 passed, 0 failed, 1 skipped\n")


def test_nothing_but_skips_is_no_success(consumer: Path) -> None:
    """A matrix in which no cell passed fails."""
    assert tell([OLD], Here(), consumer) == 1


def test_failed_installation_is_told(consumer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be installed is a failure, with the words of the installer."""
    assert tell([replace(PLAIN, name="impossible")], Broken(), consumer) == 1
    out = capsys.readouterr().out
    assert "could not be installed" in out
    assert "No solution found" in out


def test_installer_says_what_it_lacks(tmp_path: Path) -> None:
    """The words of uv reach the row's output: here, that the wheel is not there."""
    homes = Environments(tmp_path / "gone-1.0-py3-none-any.whl", tmp_path)
    outcome = running.run(PLAIN, homes)
    assert (outcome.state, outcome.words) == ("failed", "could not be installed")
    assert "gone-1.0-py3-none-any.whl" in outcome.output


def test_wheel_that_cannot_be_built_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a wheel nothing runs, and the builder's words are shown."""
    monkeypatch.setattr("matrix.__main__.wheel", lambda: wheel(tmp_path, tmp_path))
    assert main([]) == 1
    out = capsys.readouterr().out
    assert str(tmp_path) in out
    assert out.endswith("the wheel could not be built\n")


def test_name_that_no_cell_has_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    """A word that chooses nothing is a mistake, not a matrix that passed."""
    assert main(["pytest-nonsense"]) == 1
    assert "pytest-nonsense" in capsys.readouterr().out


def test_run_that_hangs_is_ended(consumer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite that does not end fails its cell, and is stopped."""
    monkeypatch.setattr(running, "PATIENCE", 0.5)
    outcome = running.run(replace(PLAIN, name="late", files=("test_late.py",)), Here(), consumer)
    assert (outcome.state, outcome.words) == ("failed", "did not end within 0.5 s")


def test_outer_run_has_no_say(consumer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options and credentials in the environment of the matrix do not reach a cell."""
    for name in ("PYTEST_ADDOPTS", "TURRIS_CLIENT_ID", "COVERAGE_PROCESS_START"):
        monkeypatch.setenv(name, "--nonsense")
    code = "import os\ndef test_clean(): assert '--nonsense' not in os.environ.values()"
    (consumer / "test_directory.py").write_text(code)
    assert running.run(PLAIN, Here(), consumer).state == "passed"


def test_consumers_project_is_left_as_it_was(consumer: Path) -> None:
    """A suite runs in a copy: caches and whatever else it writes go with it."""
    before = sorted(consumer.rglob("*"))
    assert running.run(PLAIN, Here(), consumer).state == "passed"
    assert sorted(consumer.rglob("*")) == before


def test_interpreter_of_this_run_is_found() -> None:
    """The Python that runs the matrix is taken for its own version."""
    assert find(platform.python_version().rpartition(".")[0]) == sys.executable


@pytest.mark.parametrize(
    ("script", "found"), [("echo 2.99", True), ("exit 127", False), ("echo 2.98", False)]
)
def test_interpreter_has_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: bool
) -> None:
    """One on the path is asked for its version: a shim that refuses is passed over."""
    shim = tmp_path / "python2.99"
    shim.write_text(f"#!/bin/sh\n{script}\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find("2.99") == (str(shim) if found else None)


def test_cells_are_told_apart_by_their_names() -> None:
    """Rows have names of their own, and each file of a row is there."""
    names = [cell.name for cell in CELLS]
    assert len(set(names)) == len(names)
    files = {file for cell in CELLS for file in cell.files}
    assert files == {path.name for path in running.CONSUMER.glob("test_*.py")}
