"""The virtual environments of the cells, with pytest-turris installed from a wheel."""

import subprocess
import sysconfig
import threading
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

from .cells import Cell

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".matrix"
UV = Path(sysconfig.get_path("scripts")) / "uv"


def wheel(project: Path = ROOT, cache: Path = CACHE) -> Path:
    """Build the wheel that is installed in all environments.

    Raises:
        subprocess.CalledProcessError: The build failed.
    """
    folder = cache / "wheel"
    _uv("build", "--wheel", "--quiet", "--clear", "--out-dir", str(folder), str(project))
    (built,) = folder.glob("*.whl")
    return built


class Environments:
    """One environment for each set of requirements; kept, and updated in each run."""

    def __init__(self, built: Path, cache: Path = CACHE) -> None:
        self._wheel = built
        self._cache = cache
        self._ready: set[Path] = set()
        self._locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)

    def python(self, cell: Cell, base: str) -> str:
        """Return the interpreter of a cell's environment, made with the interpreter ``base``.

        Raises:
            subprocess.CalledProcessError: The installation failed.
        """
        key = repr((base, cell.installs, cell.lowest, cell.extra))
        folder = self._cache / "venvs" / sha256(key.encode()).hexdigest()[:16]
        python = str(folder / "bin" / "python")
        with self._locks[folder]:
            if folder not in self._ready:
                self._install(cell, folder, base)
                self._ready.add(folder)
        return python

    def _install(self, cell: Cell, folder: Path, base: str) -> None:
        if not folder.exists():
            _uv("venv", "--quiet", "--python", base, str(folder))
        # "lowest-direct" applies to direct requirements only, so the project's are passed directly.
        extra = f"[{cell.extra}]" if cell.extra else ""
        direct = ["--resolution=lowest-direct", "-r", str(ROOT / "pyproject.toml")]
        direct += ["--extra", cell.extra] if cell.extra else []
        _uv(
            "pip", "install", "--quiet", "--python", str(folder), "--upgrade",
            "--reinstall-package=pytest-turris", f"{self._wheel}{extra}",
            *cell.installs, *(direct if cell.lowest else []),
        )  # fmt: skip


def _uv(*args: str) -> None:
    command = [str(UV), "--no-python-downloads", *args]
    subprocess.run(command, check=True, capture_output=True, text=True)
