"""Run the test suite as on another machine: ``make elsewhere``.

A configuration of pytest and a conftest.py lie above the temporary folder, the environment names
proxies where nothing listens, and umask, locale, time zone and the width of the terminal are
unusual. On Linux, as root, there is neither IPv6 nor a network, only loopback, and tests that
install packages are left out.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from elsewhere import loopback

_ROOT = Path(__file__).parents[2]
_STRAY = {
    "pytest.toml": '[pytest]\naddopts = ["--no-such-option"]\n',
    "pytest.ini": "[pytest]\naddopts = --no-such-option\n",
    "conftest.py": "raise ImportError('this conftest.py is not of the project')\n",
}
_NOWHERE = "http://127.0.0.1:9"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_UNUSUAL = {"LC_ALL": "POSIX", "TZ": "Pacific/Apia", "COLUMNS": "57"}


def main() -> int:
    """Run pytest; what follows on the command line goes to it. The exit status is pytest's."""
    with TemporaryDirectory() as folder:
        above, below = Path(folder), Path(folder) / "tmp"
        for name, text in _STRAY.items():
            (above / name).write_text(text, encoding="utf-8")
        below.mkdir()
        for entered in (above, below):
            entered.chmod(0o755)  # by PostgreSQL, which runs as another user
        os.umask(0o077)
        environment = os.environ | _UNUSUAL | dict.fromkeys(_PROXIES, _NOWHERE)
        alone = _alone()
        command = [*alone, sys.executable, "-m", "pytest", "-q"]
        command += ["-m", "not installs"] if alone else []
        done = subprocess.run(
            [*command, *sys.argv[1:]],
            cwd=_ROOT,
            env=environment | {"TMPDIR": str(below)},
            check=False,
        )
    return done.returncode


def _alone() -> list[str]:
    """What starts a command without a network, where that is possible."""
    if os.geteuid() or not shutil.which("unshare"):
        sys.stderr.write("not as root of Linux: with this machine's network\n")
        return []
    return ["unshare", "--net", sys.executable, loopback.__file__]


if __name__ == "__main__":
    sys.exit(main())
