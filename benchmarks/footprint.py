"""What ``pip install pytest-turris`` brings: packages and megabytes, in a fresh environment."""

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = Path(sysconfig.get_path("scripts")) / "uv"
EXTRAS = ("", "[server]", "[server,requests]")


def measured(extra: str, wheel: Path, folder: Path) -> tuple[int, float]:
    """Install the wheel with an extra; return the number of packages and their megabytes.

    Bytecode is not counted: it is written when a module is first imported.
    """
    environment = folder / f"venv{extra}"
    python = environment / "bin" / "python"
    _uv("venv", "--quiet", "--python", sys.executable, str(environment))
    _uv("pip", "install", "--quiet", "--python", str(python), f"{wheel}{extra}")
    (packages,) = environment.glob("lib/python*/site-packages")
    files = [file for file in packages.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    count = len(list(packages.glob("*.dist-info")))
    return count, sum(file.stat().st_size for file in files) / 1e6


def main() -> None:
    """Print a line for each set of extras."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _uv("build", "--wheel", "--quiet", "--out-dir", str(folder), str(ROOT))
        (wheel,) = folder.glob("*.whl")
        for extra in EXTRAS:
            count, size = measured(extra, wheel, folder)
            print(f"pytest-turris{extra}: {count} packages, {size:.0f} MB")


def _uv(*arguments: str) -> None:
    subprocess.run([str(UV), "--no-python-downloads", *arguments], check=True)


if __name__ == "__main__":
    main()
