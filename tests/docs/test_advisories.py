"""``make advisories``: whether a known weakness concerns a version that the project allows."""

import shutil
import subprocess
from pathlib import Path

import advisories
import pytest
from packaging.version import Version

TWO_RANGES = """
id: PYSEC-1
affected:
- ranges:
  - {type: GIT, events: [{introduced: "0"}]}
  - type: ECOSYSTEM
    events: [{introduced: 2.0.0}, {fixed: 2.0.7}, {introduced: "0"}, {fixed: 1.26.18}]
  versions: [2.0.0rc1]
"""
LAST = """
id: PYSEC-2
affected: [{ranges: [{type: ECOSYSTEM, events: [{introduced: 2.3.0}, {last_affected: 2.4.1}]}]}]
"""
WITHDRAWN = """
id: PYSEC-3
withdrawn: 2024-01-01T00:00:00Z
affected: [{ranges: [{type: ECOSYSTEM, events: [{introduced: "0"}]}]}]
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with three advisories about one package."""
    folder = tmp_path_factory.mktemp("database")
    package = folder / "vulns" / "some-package"
    package.mkdir(parents=True)
    for number, text in enumerate((TWO_RANGES, LAST, WITHDRAWN), 1):
        (package / f"PYSEC-{number}.yaml").write_text(text)
    who = ["-c", "user.name=someone", "-c", "user.email=someone@example.com"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "Three advisories"]):
        git = shutil.which("git") or "git"
        subprocess.run([git, "-C", folder, *command], check=True)
    return folder


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ("1.26.17", ["PYSEC-1"]),
        ("1.26.18", []),
        ("2.0.0rc1", ["PYSEC-1"]),
        ("2.0.5", ["PYSEC-1"]),
        ("2.0.7", []),
        ("2.3.0", ["PYSEC-2"]),
        ("2.4.1", ["PYSEC-2"]),
        ("2.4.2", []),
    ],
)
def test_version_is_looked_up(database: Path, version: str, affected: list[str]) -> None:
    """By the list and by the ranges, of which some have the last affected version."""
    found = advisories.held(database, "some-package", Version(version))
    assert found.affected == affected
    assert found.others == 2 - len(affected)


def test_unknown_package_has_none(database: Path) -> None:
    """Most packages have no advisory."""
    assert advisories.held(database, "other", Version("1")).affected == []


def test_each_dependency_has_a_lowest_version() -> None:
    """Those of the extras, too; else nothing could be looked up."""
    found = dict(advisories.lowest_versions())
    assert {"pytest", "pyjwt", "h11", "psycopg", "jinja2"} <= found.keys()


def test_an_advisory_fails_the_command(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The row names it."""
    lowest = [("some-package", Version("2.4")), ("other", Version("1"))]
    monkeypatch.setattr(advisories, "lowest_versions", lambda: iter(lowest))
    assert advisories.main(database) == 1
    assert "| some-package | 2.4 | 2 | PYSEC-2 |" in capsys.readouterr().out
