"""The files that commands read: what has no end is refused, and what is too large."""

import json
import os
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from doubles.served_here import served
from doubles.special_files import special_file

from mock_server.shell.cli import app
from pytest_turris.process.input_file import read_input

READS: dict[str, list[str]] = {
    "serve": ["serve", "--port", "0", "--load", "FILE"],
    "trigger": ["trigger", "--payload", "FILE", "--to", "http://127.0.0.1:9/", "--print"],
    "attack": ["attack", "http://127.0.0.1:9/", "--payload", "FILE"],
    "learn from a delivery": ["learn-signature", "--delivery", "FILE"],
    "learn from a body": ["learn-signature", "--header", "X-A: b", "--body", "FILE"],
    "drift": ["drift", "--recorded", "FILE"],
    "audit of verdicts": ["audit", "--verdicts", "FILE"],
    "declarations": ["scan", ".", "--declarations", "FILE"],
    "a control": ["snapshot", "import", "@FILE"],
}


def refused(arguments: list[str], file: Path, **environment: str) -> str:
    """The line in which a command refuses a file."""
    words = [word.replace("FILE", str(file)) for word in arguments]
    result = CliRunner().invoke(app, words, env={"TURRIS_WEBHOOK_SECRET": "fake", **environment})
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.mark.parametrize("arguments", READS.values(), ids=READS)
def test_a_file_that_is_a_device_or_too_large_is_refused(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before all of it is read, and in one line that names it."""
    monkeypatch.chdir(tmp_path)
    large = tmp_path / "large"
    large.write_text("{}")
    monkeypatch.setattr(f"{read_input.__module__}.LARGEST_MIB", 0)
    with served() as server:
        reached = {"TURRIS_BASE_URL": server.base_url, "TURRIS_CONTROL_TOKEN": server.control_token}
        line = refused(arguments, large, **reached)
        assert large.name in line
        assert "it is larger than 0 MiB" in line
        device = special_file("device", tmp_path)
        line = refused(arguments, device, **reached)
        assert device.name in line
        assert "it is a device, not a regular file" in line


def test_a_pipe_is_read(tmp_path: Path) -> None:
    """A shell makes one for ``<(command)``."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = json.dumps(["much"] * 100_000).encode()
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    assert read_input(pipe) == content
    writer.join()


@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_a_scan_of_neither_a_file_nor_a_folder_is_refused(kind: str, tmp_path: Path) -> None:
    """It would find nothing, and look like a success."""
    line = refused(["scan", "FILE"], special_file(kind, tmp_path))
    assert "is neither a file nor a folder" in line
