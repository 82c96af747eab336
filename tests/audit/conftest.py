"""Projects whose runs are audited."""

import json
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from doubles.consumer_project import QUIET

AUDITED = Path(__file__).parents[1] / "doubles" / "audited"
Run = Callable[..., Any]
_MARK = re.compile(r"# ((?:[A-Z]{2}-\d+ ?)+)$")


def marked(file: Path) -> set[tuple[str, str, int]]:
    """The check, the file and the line of each mark in an application."""
    return {
        (check, file.name, number)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (found := _MARK.search(line))
        for check in found[1].split()
    }


class AuditedProject:
    """A consumer's project; ``run`` gives the report of an audited run."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.result: pytest.RunResult | None = None

    def copy(self, folder: str, tests: str) -> None:
        """Copy the applications of a folder, and their suite."""
        for file in (AUDITED / folder).glob("*.py"):
            shutil.copy(file, self.path)
        shutil.copy(AUDITED / tests, self.path / f"{Path(tests).stem}.py")
        self.pytester.syspathinsert()

    def run(self, *args: str, apart: bool = False) -> dict[str, Any]:
        """Run the suite, audited; the report as data."""
        run = self.pytester.runpytest_subprocess if apart else self.pytester.runpytest_inprocess
        self.result = run(*QUIET, "--turris-audit-report", "report", *args)
        found: dict[str, Any] = json.loads((self.path / "report" / "report.json").read_text())
        return found


@pytest.fixture
def audited(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> AuditedProject:
    """A consumer's project in an empty directory."""
    for name in ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_SECRET"):
        monkeypatch.delenv(f"TURRIS_{name}", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    for name in ("httpx", "urllib3"):  # what another project set in this process
        monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)
    return AuditedProject(pytester)
