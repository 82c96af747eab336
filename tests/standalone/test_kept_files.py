"""The files that ``serve`` keeps up to date, where something else may stand."""

import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from doubles.served_sandbox import serving
from doubles.special_files import SPECIAL, kind_and_mode, raising, special_file

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
    file = ClockFile(link, Clock(), raising)
    assert target.read_text() == "+0.000000\n"
    file.close()
    assert not target.exists()
    assert link.is_symlink()


def test_what_takes_the_place_of_a_file_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Nor removed at the end."""
    path, clock, errors = tmp_path / "clock", Clock(), list[OSError]()
    file = ClockFile(path, clock, errors.append)
    path.unlink()
    os.mkfifo(path)
    clock.advance(hours=1)
    assert "not a regular file" in str(errors[0])
    file.close()
    assert stat.S_ISFIFO(path.lstat().st_mode)


def test_a_change_holds_although_its_file_cannot_be_written(tmp_path: Path) -> None:
    """The log says that the file is out of date; the server goes on."""
    files = {"--env-file": tmp_path / "env", "--clock-file": tmp_path / "clock"}
    log = (tmp_path / "log").open("w+")
    options = [text for flag, file in files.items() for text in (flag, str(file))]
    with log, serving(*options, log=log.fileno()) as running:
        for file in files.values():
            file.unlink()
            file.mkdir()
        headers = {"Authorization": f"Bearer {running.variables['TURRIS_CONTROL_TOKEN']}"}
        given = json.dumps({"id": running.variables["TURRIS_CLIENT_ID"]}).encode()
        made = running.call("/__sandbox__/credentials/rotate", data=given, **headers)
        assert made["clientSecret"] != running.variables["TURRIS_CLIENT_SECRET"]
        moved = running.call("/__sandbox__/clock/advance", data=b'{"by": "1h"}', **headers)
        assert moved["aheadSeconds"] == 3600
    written = (tmp_path / "log").read_text()
    for flag, file in files.items():
        assert (
            f"{flag} {file}: cannot write it, so it is out of date: it is not a regular" in written
        )
    assert "a bug in" not in written
