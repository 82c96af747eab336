"""The workflows on the page about the audit: valid, and each command of them runs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped] # it has no types
from docs.test_github import findings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "audit.md"
SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
WORKFLOWS = dict(
    re.findall(r"<!-- workflow: (\w+) -->\n```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
)

# A backend of its own, so that pip needs no network to read the project's metadata.
BACKEND = """
from pathlib import Path


def prepare_metadata_for_build_editable(directory, config_settings=None):
    folder = Path(directory, "acme-1.dist-info")
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\\nName: acme\\nVersion: 1\\n")
    return folder.name


def build_editable(directory, config_settings=None, metadata_directory=None):
    raise NotImplementedError
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "acme"
version = "1"

[dependency-groups]
test = ["pytest"]
"""


def commands(name: str) -> list[str]:
    """What a workflow runs in a shell, in its order."""
    workflow: dict[str, Any] = yaml.safe_load(WORKFLOWS[name])
    if name == "gitlab":
        return [line for job in workflow.values() for line in job["script"]]
    jobs = workflow["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_workflow_is_valid(tmp_path: Path, name: str) -> None:
    """By the schema of its host."""
    file = tmp_path / "workflow.yml"
    file.write_text(WORKFLOWS[name])
    assert not findings(SCHEMAS[name], file)


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """It also reads expressions, and the inputs of well-known actions."""
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("actionlint is not installed")
    file = tmp_path / "workflow.yml"
    file.write_text(WORKFLOWS["github"])
    done = subprocess.run([actionlint, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_command_of_a_workflow_runs(tmp_path: Path, name: str) -> None:
    """In a project of its own; pip reads what it would install."""
    first = re.search(r"```python\n(.*?)```", PAGE.read_text().replace("\n   ", "\n"), re.DOTALL)
    assert first
    (tmp_path / "backend.py").write_text(BACKEND)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "test_directory.py").write_text(first[1])
    names = ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST", "PYTEST_PLUGINS")
    environment = {key: value for key, value in os.environ.items() if key not in names} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PIP_DRY_RUN": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    for command in commands(name):
        done = subprocess.run(
            ["/bin/bash", "-eo", "pipefail", "-c", command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "audit" / "report.sarif").exists()
    if name == "github":
        assert (tmp_path / "summary.md").read_text().startswith("# Turris audit")
    else:
        assert "turris-audit-SEC-07" in (tmp_path / "junit.xml").read_text()
