"""Audits the suites of the example projects, and keeps their reports; ``--check`` only compares.

Every line that tests can prove has to be proven, and nothing may be found. The kept report is
current if it says the same of each line, by the same checks. That of the example in Node.js is
compared by ``tests/docs/test_node_directory.py``, which runs its suite anyway.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parent / "examples" / "agency_directory"
KEPT = EXAMPLE / "audit"
NODE = EXAMPLE.parent / "node_directory"
OPTIONS = ("tests", "drills", "--turris-verify-webhooks", "--turris-audit=strict")


def audit(directory: Path) -> dict[str, Any]:
    """Run the suite, audited; its report as data."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "pytest", "-q", *OPTIONS, "--turris-audit-report", str(directory)],
        cwd=EXAMPLE,
        check=False,
    )
    if done.returncode:
        sys.exit(done.returncode)
    found: dict[str, Any] = json.loads((directory / "report.json").read_text())
    return found


def audit_node() -> dict[str, Any]:
    """Run the suite in Node.js, audited; its report as data. It needs ``npm install`` there."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["npm", "run", "audit"],  # noqa: S607 - npm, wherever it is
        cwd=NODE,
        check=True,
        env=os.environ | {"PATH": programs},
    )
    found: dict[str, Any] = json.loads((NODE / "audit" / "report.json").read_text())
    return found


def unproven(report: dict[str, Any]) -> list[str]:
    """What is not as it should be."""
    lines = [line for line in report["lines"] if line["kind"] == "provable"]
    texts = [f"{line['id']} is {line['status']}" for line in lines if line["status"] != "proven"]
    return texts + [f"{one['check']} at {one['path']}:{one['line']}" for one in report["results"]]


def facts(report: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    """What has to be the same in the kept report: each line with its status and its checks."""
    return [
        (line["id"], line["status"], [one["check"] for one in line["held"]])
        for line in report["lines"]
    ]


def main() -> None:
    """Audit, and compare or keep."""
    with tempfile.TemporaryDirectory() as directory:
        checks = sys.argv[1:] == ["--check"]
        found = audit(Path(directory) if checks else KEPT)
        wrong = unproven(found) + ([] if checks else unproven(audit_node()))
        if wrong:
            sys.exit("\n".join(wrong))
        kept = json.loads((KEPT / "report.json").read_text())
        if facts(found) != facts(kept):
            sys.exit(f"{KEPT / 'report.json'} is not current: make audits")


if __name__ == "__main__":
    main()
