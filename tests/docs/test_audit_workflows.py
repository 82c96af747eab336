"""The workflows on the page about the audit: each command of them runs.

``test_github`` holds the workflows of all guides against the schemas of their hosts and actionlint.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped] # it has no types

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "audit.md"
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

[tool.pytest.ini_options]
"""


def commands(name: str) -> list[str]:
    """What a workflow runs in a shell, in its order."""
    workflow: dict[str, Any] = yaml.safe_load(WORKFLOWS[name])
    if name == "gitlab":
        return [line for job in workflow.values() for line in job["script"]]
    jobs = workflow["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_each_command_of_a_workflow_runs(tmp_path: Path, name: str) -> None:
    """In a project of its own; pip reads what it would install."""
    first = re.search(r"```python\n(.*?)```", PAGE.read_text().replace("\n   ", "\n"), re.DOTALL)
    assert first
    (tmp_path / "backend.py").write_text(BACKEND)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "test_directory.py").write_text(first[1])
    names = ("PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST", "PYTEST_PLUGINS")
    environment = {key: value for key, value in os.environ.items() if key not in names} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # others of this environment take seconds to import
        "PYTEST_ADDOPTS": "-p turris",
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
