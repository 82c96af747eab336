"""Hold the lowest version of each dependency against PyPA's advisory database.

``make advisories DATABASE=PATH`` reads a clone of https://github.com/pypa/advisory-database, prints
a row for each dependency, and fails if an advisory concerns a version that pyproject.toml allows.
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


@dataclass
class Held:
    """A dependency, its lowest version, and the advisories about the package."""

    package: str
    lowest: Version
    others: int = 0
    """How many advisories are about other versions only."""
    affected: list[str] = field(default_factory=list)


def lowest_versions(project: Path = PROJECT) -> Iterator[tuple[str, Version]]:
    """The packages that are installed with the project or an extra, and their lowest versions."""
    table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    extras = table["optional-dependencies"].values()
    for line in sorted({*table["dependencies"], *(line for extra in extras for line in extra)}):
        requirement = Requirement(line)
        (lowest,) = (found for found in requirement.specifier if found.operator == ">=")
        yield canonicalize_name(requirement.name), Version(lowest.version)


def held(database: Path, package: str, lowest: Version) -> Held:
    """Read what the database says about one package."""
    found = Held(package, lowest)
    for advisory in advisories(database, package):
        if "withdrawn" in advisory:
            continue
        if any(concerns(affected, lowest) for affected in advisory["affected"]):
            found.affected.append(advisory["id"])
        else:
            found.others += 1
    return found


def advisories(database: Path, package: str) -> Iterator[dict[str, Any]]:
    """The advisories about a package, at the newest commit of the clone."""
    for path in git(database, "ls-tree", "--name-only", "HEAD", f"vulns/{package}/").split():
        yield yaml.safe_load(git(database, "show", f"HEAD:{path}"))


def concerns(affected: dict[str, Any], version: Version) -> bool:
    """Whether a version is listed, or lies in a range (https://ossf.github.io/osv-schema/)."""
    if str(version) in affected.get("versions", ()):
        return True
    ranges = (found for found in affected.get("ranges", ()) if found["type"] == "ECOSYSTEM")
    return any(in_range(found["events"], version) for found in ranges)


def in_range(events: list[dict[str, str]], version: Version) -> bool:
    """Whether the newest event up to a version opened the range."""
    is_affected = False
    for kind, limit in sorted(
        ((kind, Version(limit)) for event in events for kind, limit in event.items()),
        key=lambda found: (found[1], found[0] == "introduced"),
    ):
        if version > limit or (version == limit and kind != "last_affected"):
            is_affected = kind == "introduced"
    return is_affected


def git(database: Path, *arguments: str) -> str:
    """What a command of git prints about the clone."""
    return subprocess.run(  # noqa: S603 - fixed commands
        ["git", "-C", database, *arguments],  # noqa: S607 - wherever git is installed
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


def main(database: Path) -> int:
    """Print the table; 1 if an advisory concerns a version that is allowed."""
    commit = git(database, "log", "-1", "--format=%H, %cs").strip()
    sys.stdout.write(f"Commit {commit}\n\n| Package | Lowest version | Advisories | For it |\n")
    sys.stdout.write("|---|---|---|---|\n")
    rows = [held(database, *lowest) for lowest in lowest_versions()]
    for row in rows:
        count = row.others + len(row.affected)
        which = ", ".join(row.affected) or "none"
        sys.stdout.write(f"| {row.package} | {row.lowest} | {count} | {which} |\n")
    return 1 if any(row.affected for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
