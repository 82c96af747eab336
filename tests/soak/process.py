"""The server's process: how it is started, and what the system says about it (Linux)."""

import os
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from soak.connection import SoakError

_EXPORT = re.compile(r"^export TURRIS_(\w+)=(.*)$", re.MULTILINE)
_MEBI = 1_048_576


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process holds at a moment.

    Args:
        second: Since the first sample.
        memory: The resident set in MiB.
        threads: How many run.
        descriptors: How many are open.
        requests: How many it has answered.
        tenants: How many tenants have come and gone.
    """

    second: float
    memory: float
    threads: int
    descriptors: int
    requests: int
    tenants: int

    def as_json(self) -> dict[str, float]:
        """The sample as JSON data."""
        return asdict(self)


class Served:
    """``turris-sandbox serve`` in a process of its own.

    Args:
        folder: Where its output is written.
    """

    def __init__(self, folder: Path) -> None:
        self._output = folder / "serve.log"
        self._begin = 0.0

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "mock_server", "serve", "--port", "0"]
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                [*command, "--log-level", "error"], stdout=output, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + 30
        while "BASE_URL" not in (facts := dict(_EXPORT.findall(self._output.read_text()))):
            if self._process.poll() is not None or time.monotonic() > until:
                raise SoakError(f"the server did not start: {self._output.read_text()}")
            time.sleep(0.05)
        self.port: int = int(facts["BASE_URL"].rpartition(":")[2])
        self.token: str = facts["CONTROL_TOKEN"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(10)

    @property
    def complaints(self) -> str:
        """What it logged after its start: errors of its own."""
        return "\n".join(
            line for line in self._output.read_text().splitlines() if "ERROR" in line.upper()
        )

    def sample(self, requests: int, tenants: int) -> Sample:
        """What the process holds now."""
        process = Path(f"/proc/{self._process.pid}")
        pages = int((process / "statm").read_text().split()[1])
        self._begin = self._begin or time.monotonic()
        return Sample(
            second=round(time.monotonic() - self._begin, 1),
            memory=round(pages * os.sysconf("SC_PAGE_SIZE") / _MEBI, 1),
            threads=len(list((process / "task").iterdir())),
            descriptors=len(list((process / "fd").iterdir())),
            requests=requests,
            tenants=tenants,
        )
