"""The server's process, and what the system says about it (Linux)."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from doubles.served_sandbox import Running, serving

_MEBI = 1_048_576


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process holds at a moment.

    Args:
        second: Since the first sample.
        memory: The resident set in MiB.
        threads: How many run.
        descriptors: How many are open.
        requests: How many it has answered to suites that have ended.
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
    """A served sandbox, from outside.

    Args:
        running: The server.
        log: The file of its log, which has errors alone.
    """

    def __init__(self, running: Running, log: Path) -> None:
        self.port: int = int(running.variables["TURRIS_BASE_URL"].rpartition(":")[2])
        self.token: str = running.variables["TURRIS_CONTROL_TOKEN"]
        self._process = Path(f"/proc/{running.process.pid}")
        self._log = log
        self._begin = time.monotonic()

    @property
    def complaints(self) -> list[str]:
        """The errors that it logged, a line each."""
        return self._log.read_text().splitlines()

    def sample(self, requests: int, tenants: int) -> Sample:
        """What the process holds now."""
        pages = int((self._process / "statm").read_text().split()[1])
        return Sample(
            second=round(time.monotonic() - self._begin, 1),
            memory=round(pages * os.sysconf("SC_PAGE_SIZE") / _MEBI, 1),
            threads=len(list((self._process / "task").iterdir())),
            descriptors=len(list((self._process / "fd").iterdir())),
            requests=requests,
            tenants=tenants,
        )


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Serve a sandbox, whose log is written into a folder."""
    log = folder / "serve.log"
    with (
        log.open("w") as output,
        serving("--log-level", "error", log=output.fileno()) as running,
    ):
        yield Served(running, log)
