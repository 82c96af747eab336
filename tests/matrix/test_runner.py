"""The runner of the matrix: failures fail the run, and missing interpreters are reported."""

import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from . import running
from .__main__ import main, run_cells
from .cells import CELLS, Cell
from .environments import Environments, wheel
from .pythons import find

PLAIN = Cell(name="plain", env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
OLD = replace(PLAIN, name="old", python="2.99")
FINE = "def test_fine(): pass\n"
WRONG = "def test_wrong(): assert 'the answer' == 'something else'\n"


class CurrentEnvironment:
    """Uses the environment of this test run for each cell."""

    def python(self, cell: Cell, base: str) -> str:
        """Return the base interpreter."""
        return base


class BrokenInstaller:
    """Cannot install anything."""

    def python(self, cell: Cell, base: str) -> str:
        """Fail as uv does."""
        raise subprocess.CalledProcessError(1, ["uv"], stderr="No solution found")


@pytest.fixture
def consumer(tmp_path: Path) -> Path:
    """A consumer's project, with one test file for each outcome."""
    folder = tmp_path / "consumer"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]")  # else pytest takes one above, if there is one
    (folder / "test_directory.py").write_text(FINE)
    (folder / "test_wrong.py").write_text(WRONG)
    (folder / "test_left_out.py").write_text("import pytest\npytest.skip(allow_module_level=True)")
    (folder / "test_late.py").write_text("import time\ndef test_late(): time.sleep(60)")
    return folder


def test_passing_cells_pass(consumer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The row of a passed cell shows versions and counts; its output is not printed."""
    cells = [PLAIN, replace(PLAIN, name="another", args=("-v",))]
    assert run_cells(cells, CurrentEnvironment(), consumer) == 0
    out = capsys.readouterr().out
    assert f"Python {platform.python_version()}, pytest {pytest.__version__}, 1 passed" in out
    assert out.endswith("matrix: 2 passed, 0 failed, 0 skipped\n")
    assert "=====" not in out


def test_failing_cell_fails_the_run(consumer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One failed cell fails the run, and its complete output is printed."""
    wrong = replace(PLAIN, name="wrong", files=("test_directory.py", "test_wrong.py"))
    assert run_cells([PLAIN, wrong], CurrentEnvironment(), consumer) == 1
    out = capsys.readouterr().out
    assert "===== wrong =====" in out
    assert "===== plain =====" not in out
    assert "AssertionError: assert 'the answer' == 'something else'" in out
    assert out.endswith("matrix: 1 passed, 1 failed, 0 skipped\n")


@pytest.mark.parametrize(
    ("file", "code"), [("test_left_out.py", 5), ("test_missing.py", 4)], ids=["skips", "missing"]
)
def test_cell_without_a_passed_test_fails(consumer: Path, file: str, code: int) -> None:
    """A suite that skips every test, or does not exist, has not passed."""
    outcome = running.run(
        replace(PLAIN, name="empty", files=(file,)), CurrentEnvironment(), consumer
    )
    assert (outcome.state, outcome.summary.rpartition(", ")[2]) == ("failed", f"exit code {code}")


def test_missing_python_is_skipped_by_name(
    consumer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cell whose Python is not installed is skipped with a reason; it does not fail the run."""
    assert run_cells([PLAIN, OLD], CurrentEnvironment(), consumer) == 0
    out = capsys.readouterr().out
    assert "this machine has no Python 2.99" in out
    assert out.endswith("matrix: 1 passed, 0 failed, 1 skipped\n")


def test_only_skips_fail_the_run(consumer: Path) -> None:
    """If no cell passed, the run fails."""
    assert run_cells([OLD], CurrentEnvironment(), consumer) == 1


def test_failed_installation_is_reported(
    consumer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failed installation fails the cell, and the installer's output is printed."""
    assert run_cells([replace(PLAIN, name="impossible")], BrokenInstaller(), consumer) == 1
    out = capsys.readouterr().out
    assert "could not be installed" in out
    assert "No solution found" in out


def test_installer_output_is_kept(tmp_path: Path) -> None:
    """The output of the cell contains uv's message, here about a missing wheel."""
    environments = Environments(tmp_path / "gone-1.0-py3-none-any.whl", tmp_path)
    outcome = running.run(PLAIN, environments)
    assert (outcome.state, outcome.summary) == ("failed", "could not be installed")
    assert "gone-1.0-py3-none-any.whl" in outcome.output


def test_failed_build_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a wheel no cell runs, and the build's output is printed."""
    monkeypatch.setattr("matrix.__main__.wheel", lambda: wheel(tmp_path, tmp_path))
    assert main([]) == 1
    out = capsys.readouterr().out
    assert str(tmp_path) in out
    assert out.endswith("the wheel could not be built\n")


def test_unknown_name_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    """A word that chooses no cell is an error."""
    assert main(["pytest-nonsense"]) == 1
    assert "pytest-nonsense" in capsys.readouterr().out


def test_run_that_hangs_is_ended(consumer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite that does not end is stopped, and fails its cell."""
    monkeypatch.setattr(running, "TIMEOUT", 0.5)
    outcome = running.run(
        replace(PLAIN, name="late", files=("test_late.py",)), CurrentEnvironment(), consumer
    )
    assert (outcome.state, outcome.summary) == ("failed", "did not end within 0.5 s")


def test_environment_of_the_outer_run_is_not_inherited(
    consumer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pytest options and credentials in environment variables do not reach a cell."""
    for name in ("PYTEST_ADDOPTS", "TURRIS_CLIENT_ID", "COVERAGE_PROCESS_START"):
        monkeypatch.setenv(name, "--nonsense")
    code = "import os\ndef test_clean(): assert '--nonsense' not in os.environ.values()"
    (consumer / "test_directory.py").write_text(code)
    assert running.run(PLAIN, CurrentEnvironment(), consumer).state == "passed"


def test_consumers_project_is_not_changed(consumer: Path) -> None:
    """A suite runs in a copy, so its caches and other files are not left behind."""
    before = sorted(consumer.rglob("*"))
    assert running.run(PLAIN, CurrentEnvironment(), consumer).state == "passed"
    assert sorted(consumer.rglob("*")) == before


def test_interpreter_of_this_run_is_found() -> None:
    """For its own version, the Python that runs the matrix is used."""
    assert find(platform.python_version().rpartition(".")[0]) == sys.executable


@pytest.mark.parametrize(
    ("script", "found"), [("echo 2.99", True), ("exit 127", False), ("echo 2.98", False)]
)
def test_interpreter_has_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: bool
) -> None:
    """An interpreter on the path must report its version; a shim that fails is skipped."""
    shim = tmp_path / "python2.99"
    shim.write_text(f"#!/bin/sh\n{script}\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find("2.99") == (str(shim) if found else None)


def test_cells_have_unique_names() -> None:
    """Names are unique, and each test file of the consumer is in a cell."""
    names = [cell.name for cell in CELLS]
    assert len(set(names)) == len(names)
    files = {file for cell in CELLS for file in cell.files}
    assert files == {path.name for path in running.CONSUMER.glob("test_*.py")}
