"""The files that ``serve`` keeps up to date, where something else may stand."""

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from doubles.special_files import SPECIAL, kind_and_mode, special_file

from mock_server.serving.files.clock_file import ClockFile
from mock_server.serving.files.env_file import write_env_file
from mock_server.shell.cli import app
from pytest_turris.core.clock import Clock


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("flag", ["--env-file", "--clock-file", "--store"])
def test_only_a_file_is_replaced(flag: str, kind: str, tmp_path: Path) -> None:
    """Anything else is refused in one line before the server listens, and stays as it was."""
    path = special_file(kind, tmp_path)
    before = [kind_and_mode(one) for one in sorted(tmp_path.iterdir())]
    result = CliRunner().invoke(app, ["serve", "--port", "0", flag, str(path)])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert flag in result.stderr
    assert "not a regular file" in result.stderr or "Is a directory" in result.stderr
    assert [kind_and_mode(one) for one in sorted(tmp_path.iterdir())] == before


@pytest.mark.parametrize("is_there", [True, False])
def test_a_symbolic_link_stays(tmp_path: Path, is_there: bool) -> None:
    """Its target is written, for its owner alone."""
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.parent.mkdir()
    if is_there:
        target.write_text("before")
    link.symlink_to(Path("folder", "target"))
    write_env_file(link, {"A": "1"})
    assert link.readlink() == Path("folder", "target")
    assert target.read_text() == "A=1\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    file = ClockFile(link, Clock())
    assert target.read_text() == "+0.000000\n"
    file.close()
    assert not target.exists()
    assert link.is_symlink()


def test_what_takes_the_place_of_a_file_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Nor removed at the end."""
    path = tmp_path / "clock"
    file = ClockFile(path, Clock())
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a regular file"):
        write_env_file(path, {})
    file.close()
    assert stat.S_ISFIFO(path.lstat().st_mode)
