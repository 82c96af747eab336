"""``serve --clock-file``: the sandbox's time in processes that are not Python."""

import datetime as dt
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from doubles.special_files import raising

from mock_server.serving.files.clock_file import ClockFile
from mock_server.shell.cli import app
from pytest_turris.core.clock import Clock
from pytest_turris.core.sandbox import Sandbox

LIBRARIES = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")


def test_file_follows_the_clock(tmp_path: Path) -> None:
    """It is rewritten at each move, also by a restored snapshot, and removed at the end."""
    path, sandbox = tmp_path / "turris.clock", Sandbox()
    before = sandbox.snapshot()
    file = ClockFile(path, sandbox.clock, raising)
    assert path.read_text() == "+0.000000\n"
    sandbox.clock.advance(minutes=56)
    assert path.read_text() == "+3360.000000\n"
    sandbox.clock.move_to(sandbox.clock.now() - dt.timedelta(hours=2))
    assert float(path.read_text()) == pytest.approx(3360 - 7200, abs=1)
    sandbox.restore(before)
    assert path.read_text() == "+0.000000\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    file.close()
    sandbox.clock.advance(minutes=1)
    assert list(tmp_path.iterdir()) == []


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    """One line, and status 2."""
    path = tmp_path / "missing" / "clock"
    result = CliRunner().invoke(app, ["serve", "--port", "0", "--clock-file", str(path)])
    assert result.exit_code == 2
    assert f"--clock-file {path}: cannot write it: No such file or directory" in result.output


def test_node_has_the_sandbox_time(tmp_path: Path) -> None:
    """A process under libfaketime is where the sandbox is; a move reaches it while it runs."""
    library, node = next(LIBRARIES, None), shutil.which("node")
    if library is None or node is None:
        if os.environ.get("TURRIS_REQUIRE_ALL") == "1":
            pytest.fail("needs node, and faketime of Debian", pytrace=False)
        pytest.skip("needs node, and faketime of Debian")
    clock, path = Clock(), tmp_path / "turris.clock"
    file = ClockFile(path, clock, raising)
    clock.advance(minutes=56)
    program = "process.stdin.on('data', () => console.log(Date.now()))"
    environment = os.environ | {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(path),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with subprocess.Popen(
        [node, "-e", program],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for step in (0, 1, 24):
            clock.advance(hours=step)
            begin = clock.now()
            process.stdin.write("now\n")
            process.stdin.flush()
            shown = dt.datetime.fromtimestamp(int(process.stdout.readline()) / 1000, dt.UTC)
            # Node has milliseconds; both bounds are read from the same clock.
            assert begin - dt.timedelta(milliseconds=1) <= shown <= clock.now()
        process.stdin.close()
    file.close()
