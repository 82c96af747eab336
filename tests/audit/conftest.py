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

from pytest_turris.audit.evidence import Evidence, Spotted
from pytest_turris.audit.places import Place, PlaceFinder
from pytest_turris.audit.rules.catalogue import look_at
from pytest_turris.audit.seen import SandboxRecord
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response

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


class Watched:
    """A sandbox, and what the audit sees of the requests that a test sends to it itself."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - those of Options
        self.sandbox = Sandbox(Options(**options))
        self.record = SandboxRecord(
            self.sandbox, test=None, here=Place(path="test_it.py"), finder=PlaceFinder(AUDITED)
        )

    def send(
        self,
        method: str,
        path: str,
        *headers: tuple[str, str],
        **content: Any,  # noqa: ANN401 - Request's
    ) -> Response:
        """Send a request to the sandbox."""
        fields = (("content-type", "application/json"), *headers)
        content = {"host": "public.api.sandbox.turrisfi.com", **content}
        return self.sandbox.handle(Request(method=method, path=path, headers=fields, **content))

    def ask(self) -> Response:
        """Ask for a token."""
        client = self.sandbox.client
        body = f'{{"clientId": "{client.client_id}", "clientSecret": "{client.client_secret!s}"}}'
        return self.send("POST", "/v1/auth/jwt", body=body.encode())

    def bearer(self) -> tuple[str, str]:
        """The header of a new token."""
        self.ask()
        newest = self.sandbox.tokens.newest
        assert newest is not None
        return ("authorization", f"Bearer {newest.text!s}")

    def evidence(self) -> Evidence:
        """What the passive rules show."""
        evidence = Evidence(test="t")
        look_at(self.record, evidence, frozenset())
        return evidence

    def spotted(self, check: str) -> list[Spotted]:
        """What one rule finds."""
        return [one for one in self.evidence().spotted if one.check == check]


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
