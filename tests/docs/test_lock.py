"""``.ci/requirements.txt``: what the tools and tests install, with hashes."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / ".ci/requirements.txt").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINS = {
    canonicalize_name(name): Version(version)
    for name, version in re.findall(r"^([\w.-]+)==([\w.+!-]+)", LOCK, re.MULTILINE)
}
DIRECT = sorted(
    {
        *PROJECT["project"]["dependencies"],
        *(line for extra in PROJECT["project"]["optional-dependencies"].values() for line in extra),
        *(line for name in ("test", "lint", "docs") for line in PROJECT["dependency-groups"][name]),
    }
)


@pytest.mark.parametrize("line", DIRECT)
def test_what_the_project_names_is_locked(line: str) -> None:
    """In a version that pyproject.toml allows; run ``make lock`` after a change."""
    requirement = Requirement(line)
    assert PINS[canonicalize_name(requirement.name)] in requirement.specifier


def test_each_pin_has_a_hash() -> None:
    """And the lock names no index: it is where the reader's pip looks."""
    pinned = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in found for found in pinned)
    assert "://" not in LOCK
