"""A test that is repeated: the audit keeps what each of its attempts showed, and counts it once."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SUITE = """
import os
import pathlib
import httpx

def test_plain(turris):
    httpx.get("http://public.api.sandbox.turrisfi.com/v1/agents")

def test_flaky(turris):
    first = pathlib.Path("first")
    if not first.exists():
        first.touch()
        httpx.get("http://public.api.sandbox.turrisfi.com/v1/licenses")
        assert False
"""


def report(directory: Path, *args: str) -> dict[str, Any]:
    """The report of an audited run."""
    command = [sys.executable, "-m", "pytest", "-q", "--turris-audit-report", "report", *args]
    subprocess.run(command, cwd=directory, check=False)
    found: dict[str, Any] = json.loads((directory / "report" / "report.json").read_text())
    return found


def test_each_attempt_is_evidence(tmp_path: Path) -> None:
    """Both requests of one place are one mistake, with both tests."""
    (tmp_path / "test_suite.py").write_text(SUITE)
    found = report(tmp_path, "--reruns", "2")
    plain = [one for one in found["results"] if one["check"] == "RQ-04"]
    tests = {test for one in plain for test in one["tests"]}
    assert tests == {"test_suite.py::test_plain", "test_suite.py::test_flaky"}
    assert found["run"]["problems"] == []
    assert found["run"]["tests"] == 2
