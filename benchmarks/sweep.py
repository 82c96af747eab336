"""The time of the conformance sweep and all hostile answers, for a correct client in process."""

import re
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

TESTS = Path(__file__).parents[1] / "tests"
ROUNDS = 3
SUITE = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from doubles.clients.good_client import GoodClient
from doubles.clients.stacks import SyncHttpx

def new():
    return SyncHttpx(GoodClient()).call

def test_conforms(turris_token_case):
    client = SyncHttpx(GoodClient())
    turris_token_case.run(
        client.call, new_client=new, write=client.write, operation=client.operation
    )

def test_copes(turris, turris_hostile_answer):
    turris.agents.add(npn="12345678")
    client = SyncHttpx(GoodClient())
    turris_hostile_answer.run(
        client.call, new_client=new, write=client.write, record=client.record
    )
"""


def run(engine: str) -> tuple[float, str]:
    """Return the seconds that pytest reports, and its outcomes."""
    with TemporaryDirectory() as directory:
        path = Path(directory)
        (path / "test_sweep.py").write_text(SUITE)
        (path / "pytest.ini").write_text(f"[pytest]\nturris_time_engine = {engine}\n")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-W", "ignore", "--disable-plugin-autoload",
             "-p", "pytest_turris.plugin"],
            cwd=path, capture_output=True, text=True, check=True,
        )  # fmt: skip
    outcomes, seconds = re.findall(r"^(.*) in ([0-9.]+)s", done.stdout, re.MULTILINE)[-1]
    return float(seconds), outcomes


def main() -> None:
    for engine in ("freezegun", "time-machine"):
        found = [run(engine) for _ in range(ROUNDS)]
        seconds = statistics.median(seconds for seconds, _ in found)
        print(f"{engine:12}  {seconds:5.1f} s  {found[-1][1]}")


if __name__ == "__main__":
    main()
