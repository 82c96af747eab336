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


def npm_test(directory: Path) -> subprocess.CompletedProcess[str]:
    """Run what ``npm test`` runs, with the command of this checkout."""
    script = json.loads((EXAMPLE / "package.json").read_text())["scripts"]["test"]
    name, *words = script.split()
    assert name == "turris-sandbox"
    return subprocess.run(
        [sys.executable, "-m", "mock_server", *words],
        cwd=directory, capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "NODE_DISABLE_COLORS": "1"},
    )  # fmt: skip


def test_the_tests_of_the_example_pass(example: Path) -> None:
    """All at the same time, each with a tenant of its own; the exit status is that of the tests."""
    done = npm_test(example)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert "not ok" not in done.stdout
    assert "# pass 13" in done.stdout
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
    done = npm_test(broken)
    assert done.returncode == 1
    assert f"- {failed}" in "".join(
        line for line in done.stdout.splitlines() if line.strip().startswith("not ok")
    )
