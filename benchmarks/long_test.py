"""The memory and the time per request in one test with 100,000 requests.

The journal keeps its default number of exchanges. The memory of the process is read from ``/proc``
(Linux). CPU time of the first and the last tenth, without the first thousand requests, during which
the journal fills.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

REQUESTS = 100_000
SUITE = f"""
import gc, os, statistics, time
import httpx
import pytest

PAGE = os.sysconf("SC_PAGE_SIZE")


def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE / 2**20


def test_long(turris):
    client = httpx.Client(base_url=turris.base_url)
    token = turris.tokens.issue(turris.client)
    headers = {{"Authorization": f"Bearer {{token.text}}"}}
    assert client.get("/v1/agents", headers=headers).status_code == 200
    weights, tenths = [resident()], []
    for tenth in range(10):
        parts = []
        for part in range(10):
            begin = time.process_time()
            for _ in range({REQUESTS} // 100):
                client.get("/v1/agents", headers=headers)
            parts.append((time.process_time() - begin) * 1e6 / ({REQUESTS} // 100))
        tenths.append(statistics.median(parts[1:]))
        weights.append(resident())
    assert turris.journal.seen == {REQUESTS} + 1
    print(
        f"{{turris.journal.seen:,}} requests, {{len(turris.journal):,}} in the journal: memory "
        f"{{weights[-1] - weights[0]:+.1f}} MiB, {{weights[-1] - weights[1]:+.1f}} since the "
        f"first tenth (goal 10, stretch 3)"
    )
    print(
        f"a request takes {{tenths[0]:.0f}} us in the first tenth, {{tenths[-1]:.0f}} us in the "
        f"last, ratio {{tenths[-1] / tenths[0]:.2f}} (goal: flat)"
    )
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_long.py").write_text(SUITE, encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider",
             "--disable-plugin-autoload", "-p", "pytest_turris.plugin"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if run.returncode:
        raise RuntimeError(run.stdout + run.stderr)
    print("\n".join(re.findall(r"^.*goal.*$", run.stdout, re.MULTILINE)))


if __name__ == "__main__":
    main()
