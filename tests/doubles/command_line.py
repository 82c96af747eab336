"""``turris-sandbox attack`` and ``trigger`` in this process, and a receiver that they start."""

import json
import shlex
import socket
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from doubles.ports import free_port
from mock_server.shell.cli import app

RECEIVER = Path(__file__).parent / "receivers" / "started_receiver.py"
KEY = "turris_sandbox_whsec_0123456789abcdef"
EVENT = "PRODUCER_AGREEMENT_EXECUTED"
ENVIRONMENT = {"TURRIS_WEBHOOK_SECRET": KEY, "COLUMNS": "160"}


def run(*arguments: str, input: str = "", **environment: str) -> Result:  # noqa: A002 - click's name
    """Run a command line, with an input."""
    return CliRunner().invoke(app, arguments, input=input, env=ENVIRONMENT | environment)


class Started:
    """A good receiver that ``attack --start`` runs, and what it has in its files."""

    def __init__(self, directory: Path) -> None:
        self.effects = directory / "effects"
        self.effects.touch()
        self.report = directory / "report.json"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.command = shlex.join([sys.executable, str(RECEIVER), str(self.effects)])

    def attack(self, *arguments: str, start: str = "", **environment: str) -> Result:
        """Start and attack it."""
        command = start or self.command
        return run(
            "attack", self.url, "--event", EVENT, "--json", str(self.report), "--start", command,
            *arguments, **environment
        )  # fmt: skip

    def listens(self) -> bool:
        """Whether something answers on its port."""
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0

    def outcomes(self) -> dict[str, str]:
        """The outcomes in the report, by id."""
        return {verdict["id"]: verdict["outcome"] for verdict in self.reported()["verdicts"]}

    def reported(self) -> Any:  # noqa: ANN401 - JSON
        """The report."""
        return json.loads(self.report.read_text())
