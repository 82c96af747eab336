"""Test the clients in every way, and record the verdicts: ``python -m strangers.clients``.

Run it in ``tests/``. The exit status is that of pytest.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from strangers.clients import record

FOLDER = Path(__file__).parent


def main() -> int:
    """Run pytest, with two workers; what follows on the command line goes to it."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "verdicts.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--all-ways"]
        command += [
            str(FOLDER),
            f"--junitxml={report}",
            "-o",
            "junit_family=xunit1",
            "-p",
            "no:randomly",
            *sys.argv[1:],
        ]
        done = subprocess.run(command, cwd=FOLDER.parents[2], check=False)
        record.save(record.from_reports(report))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
