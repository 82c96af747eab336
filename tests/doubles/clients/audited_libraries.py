"""Audits a suite that uses a published library, and keeps the findings with their evidence.

``make findings`` runs it and writes ``FILE``; the page is made from that file. A test compares.
"""

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
FILE = ROOT / "docs" / "explanation" / "audit-findings.json"
SUITE = Path(__file__).parents[1] / "audited" / "libraries"
DIALECT = Path(__file__).with_name("dialect.py")
LIBRARIES = {
    "authlib": ("by_authlib", ("httpx2",)),
    "requests-oauthlib": ("by_requests_oauthlib", ("oauthlib", "requests")),
}
"""Each library with the application that uses it, and the packages that it rests on."""

_SETTINGS = "[pytest]\nturris_time_engine = time-machine\n"
_QUIET = ("-q", "-p", "no:randomly", "-p", "no:asyncio", "-p", "no:cacheprovider")
_TIME = re.compile(r"\d+(?:\.\d+)? s\b")
_MOST = 3


def report(library: str) -> dict[str, Any]:
    """The report of the audited run of a suite in a directory of its own.

    Raises:
        RuntimeError: A test failed: the suite does not do what it says.
    """
    module, _ = LIBRARIES[library]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        shutil.copy(SUITE / f"{module}.py", directory)
        for stem in ("test_directory", "conftest"):
            shutil.copy(SUITE / f"{stem}.txt", directory / f"{stem}.py")
        (directory / "pytest.ini").write_text(_SETTINGS)
        own = {"DIRECTORY": module, "DIALECT": str(DIALECT), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *_QUIET, "--turris-audit-report", "report"],
            cwd=directory, env=os.environ | own, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        found: dict[str, Any] = json.loads((directory / "report" / "report.json").read_text())
        return found


def row(library: str) -> dict[str, Any]:
    """What the audit says about a library, with the evidence."""
    found = report(library)
    packages = (library, *LIBRARIES[library][1])
    return {
        "library": library,
        "versions": {name: version(name) for name in packages},
        "lines": {line["id"]: line["status"] for line in found["lines"]},
        "findings": [_finding(one) for one in found["results"]],
    }


def _finding(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "check": one["check"],
        "level": one["level"],
        "title": one["title"],
        "place": f"{one['path']}:{one['line']}",
        "got": _TIME.sub("a moment", one["got"]),
        "exchanges": one["exchanges"][:_MOST],
        "tests": [test.partition("::")[2] for test in one["tests"]],
    }


def facts(found: dict[str, Any]) -> dict[str, Any]:
    """What has to be the same in each run: all but the times."""
    findings = [one | {"exchanges": len(one["exchanges"])} for one in found["findings"]]
    return found | {"findings": findings}


def main() -> None:
    """Audit, and keep what is found."""
    rows = [row(library) for library in LIBRARIES]
    today = dt.datetime.now(dt.UTC).date().isoformat()
    text = json.dumps({"date": today, "libraries": rows}, indent=1, ensure_ascii=False)
    FILE.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
