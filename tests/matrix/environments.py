"""Virtual environments of the cells, with pytest-turris installed as from an index."""

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
    """Build the wheel that all environments get.

    Raises:
        subprocess.CalledProcessError: It cannot be built.
    """
    folder = cache / "wheel"
    _uv("build", "--wheel", "--quiet", "--clear", "--out-dir", str(folder), str(project))
    (built,) = folder.glob("*.whl")
    return built


class Environments:
    """One for each set of requirements; they are kept, and brought up to date each time."""

    def __init__(self, built: Path, cache: Path = CACHE) -> None:
        self._wheel = built
        self._cache = cache
        self._ready: set[Path] = set()
        self._locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)

    def python(self, cell: Cell, base: str) -> str:
        """The interpreter of a cell's environment, which is made with the interpreter ``base``.

        Raises:
            subprocess.CalledProcessError: What it needs cannot be installed.
        """
        key = repr((base, cell.installs, cell.lowest))
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
        # "Lowest" is about what is asked for directly, so the project's requirements have to be.
        direct = ["--resolution=lowest-direct", "-r", str(ROOT / "pyproject.toml")]
        _uv(
            "pip", "install", "--quiet", "--python", str(folder), "--upgrade",
            "--reinstall-package=pytest-turris", str(self._wheel),
            *cell.installs, *(direct if cell.lowest else []),
        )  # fmt: skip


def _uv(*args: str) -> None:
    command = [str(UV), "--no-python-downloads", *args]
    subprocess.run(command, check=True, capture_output=True, text=True)
