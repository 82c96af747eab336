"""``turris-sandbox`` in a project that has a ``mock_server.py`` of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_command_works_next_to_a_file_of_that_name(tmp_path: Path) -> None:
    """Also if the project is first on the path; the path is as before afterwards."""
    (tmp_path / "mock_server.py").write_text("raise SystemExit('the file of the user')\n")
    code = (
        "import sys; from pytest_turris.command import main; sys.argv[1:] = ['--version']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("turris-sandbox")
