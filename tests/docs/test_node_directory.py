"""``docs/examples/node_directory``: its tests run as its README says, with the command alone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "node_directory"
MODULES = ROOT / "tests" / "strangers" / "receivers" / "node_modules"
"""What ``make node-packages`` installs; Express is in it."""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with its packages, where its tests may write."""
    missing = None if shutil.which("node") else "Node.js is not installed"
    if not (MODULES / "express").is_dir():
        missing = missing or "Express is not installed: make node-packages"
    if missing and os.environ.get("TURRIS_REQUIRE_ALL") == "1":
        pytest.fail(missing, pytrace=False)
    if missing:
        pytest.skip(missing)
    directory = tmp_path_factory.mktemp("node") / "node_directory"
    shutil.copytree(EXAMPLE, directory)
    (directory / "node_modules").symlink_to(MODULES)
    return directory


def npm_run(directory: Path, name: str = "test") -> subprocess.CompletedProcess[str]:
    """Run what ``npm run`` runs, with the command of this checkout."""
    script = json.loads((EXAMPLE / "package.json").read_text())["scripts"][name]
    programs = directory / "bin"
    programs.mkdir(exist_ok=True)
    command = programs / "turris-sandbox"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m mock_server "$@"\n')
    command.chmod(0o755)
    own = {"PYTHONPATH": str(ROOT), "NODE_DISABLE_COLORS": "1"}
    return subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=directory, capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | own | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip


def _said(report: Path) -> list[tuple[str, str]]:
    """What a report says of each line."""
    return [
        (line["id"], line["status"])
        for line in json.loads(report.read_text(encoding="utf-8"))["lines"]
    ]


def test_the_tests_of_the_example_pass(example: Path) -> None:
    """All at the same time, each with a tenant of its own, audited together; nothing is found.

    Each line that a test can prove is proven, as in the kept report, which ``npm run audit``
    writes again.
    """
    kept = _said(example / "audit" / "report.json")
    done = npm_run(example, "audit")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    report = json.loads((example / "audit" / "report.json").read_text())
    assert report["results"] == []
    assert _said(example / "audit" / "report.json") == kept
    assert {one["status"] for one in report["lines"] if one["kind"] == "provable"} == {"proven"}
    assert "not ok" not in done.stdout
    assert "# pass 18" in done.stdout
    assert "# fail 0" in done.stdout


@pytest.mark.parametrize(
    ("file", "change", "failed"),
    [
        ("directory.js", ("55 * MINUTE", "65 * MINUTE"), "replaces its token before it expires"),
        ("receiver.js", (" && !seen.has(digest)", ""), "acts once on a webhook that comes twice"),
    ],
)
def test_a_bug_in_the_example_fails_its_test(
    example: Path, tmp_path: Path, file: str, change: tuple[str, str], failed: str
) -> None:
    """A token that is replaced too late, a webhook that is acted on twice."""
    broken = tmp_path / "broken"
    shutil.copytree(example, broken, symlinks=True)
    source = broken / "src" / file
    assert change[0] in source.read_text()
    source.write_text(source.read_text().replace(*change))
    done = npm_run(broken)
    assert done.returncode == 1
    assert f"- {failed}" in "".join(
        line for line in done.stdout.splitlines() if line.strip().startswith("not ok")
    )
