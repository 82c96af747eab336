"""The cost of loading the plugin in a pytest run that does not use it.

Runs pytest on an empty and on a trivial suite, alternating with and without the plugin, and prints
medians and their difference. All other installed plugins, including respx's, are off on both
sides. If valgrind is installed, the script also counts instructions, which do not depend on the
load of the machine.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import entry_points
from pathlib import Path

import pytest_turris

ROUNDS = 25
OTHERS = {entry.name for entry in entry_points(group="pytest11")} - {"turris"}
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
PYTEST += [word for name in sorted(OTHERS) for word in ("-p", f"no:{name}")]
WITHOUT = ["-p", "no:turris"]
WARM = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""With cached bytecode, as in every run except the first one of a fresh container."""
COLD = WARM | {"PYTHONDONTWRITEBYTECODE": "1"}
OURS = Path(pytest_turris.__file__).parent / "__pycache__"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty")
        empty.mkdir()
        Path(empty, "test_nothing.py").touch()
        many = Path(folder, "many")
        many.mkdir()
        Path(many, "test_many.py").write_text(
            "import pytest\n@pytest.mark.parametrize('n', range(1000))\ndef test(n): pass\n",
            encoding="utf-8",
        )
        report("empty suite", empty, WARM, rounds=ROUNDS)
        report("1,000 trivial tests", many, WARM, rounds=ROUNDS // 3)
        # Without a cache, the plugin's modules are compiled in each run.
        shutil.rmtree(OURS, ignore_errors=True)
        report("empty suite, without our bytecode", empty, COLD, rounds=ROUNDS)


def report(what: str, folder: Path, env: dict[str, str], *, rounds: int) -> None:
    milliseconds(folder, env)  # fills the caches
    with_plugin, without = [], []
    for _ in range(rounds):
        with_plugin.append(milliseconds(folder, env))
        without.append(milliseconds(folder, env, *WITHOUT))
    more = [a - b for a, b in zip(with_plugin, without, strict=True)]
    ratio = statistics.median(with_plugin) / statistics.median(without)
    print(
        f"{what}: {statistics.median(without):.1f} ms without, "
        f"{statistics.median(with_plugin):.1f} ms with the plugin; "
        f"median difference {statistics.median(more):+.1f} ms, ratio {ratio:.3f}"
    )
    if shutil.which("valgrind"):
        a, b = instructions(folder, env), instructions(folder, env, *WITHOUT)
        print(f"    instructions: {b:,} without, {a:,} with the plugin, ratio {a / b:.4f}")


def milliseconds(folder: Path, env: dict[str, str], *arguments: str) -> float:
    begin = time.perf_counter()
    subprocess.run(
        [*PYTEST, *arguments], cwd=folder, env=env, stdout=subprocess.DEVNULL, check=False
    )
    return (time.perf_counter() - begin) * 1000


def instructions(folder: Path, env: dict[str, str], *arguments: str) -> int:
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    run = subprocess.run(
        [*valgrind, *PYTEST, *arguments],
        cwd=folder,
        env=env | {"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    [counted] = re.findall(r"Collected : (\d+)", run.stderr)
    return int(counted)


if __name__ == "__main__":
    main()
