"""A newcomer: follows the README, the tutorial and the guides as written, without the checkout.

``python -m docs.newcomer``, in ``tests/``, makes an environment with the wheel and with what the
pages say to install, and nothing else. It prints how long it takes to the first green test. With
``--record``, the numbers that the commands print go into the pages.
"""

import difflib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from doubles.examples import examples, outcomes, packages
from doubles.walkthrough import Walkthrough, steps
from matrix.environments import ROOT, UV, wheel

MARK = "<!-- made by docs/pages.py -->"  # from here on, it has no examples to run
BEGINNING = [ROOT / "README.md", *sorted((ROOT / "docs/tutorial").glob("*.md"))]
GUIDES = sorted((ROOT / "docs/how-to").glob("*.md"))


def requirements(page: str, built: str) -> list[str]:
    """What a page says to install, with the wheel in the place of this project."""
    lines = [step.command for step in steps(page) if step.command.startswith("pip install ")]
    words = [word for line in lines for word in shlex.split(line)[2:]]
    return [
        word.replace("$CHECKOUT", built).replace("pytest-turris", built)
        for word in words
        if not word.startswith("-")
    ]


def unnamed(page: str, named: Iterable[str]) -> set[str]:
    """The packages that a page imports, less those that it names and those that are there."""
    return packages(page) - {word.partition("[")[0].partition(">")[0] for word in named}


@dataclass
class Newcomer:
    """Someone with an empty folder.

    Args:
        folder: The folder.
        record: Whether the numbers of the run are written into the pages.
    """

    folder: Path
    record: bool = False
    built: str = ""
    there: set[str] = field(default_factory=set)
    first_green: float = 0.0
    began: float = field(default_factory=time.monotonic)

    @property
    def _bin(self) -> Path:
        return self.folder / "venv" / "bin"

    def begin(self, needed: list[str]) -> None:
        """Make the environment, and look at what is in it."""
        self._uv("venv", "--quiet", "--python", sys.executable, str(self._bin.parent))
        self.install(needed)
        listed = "import importlib.metadata as m; print(*m.packages_distributions())"
        done = subprocess.run(
            [str(self._bin / "python"), "-c", listed], capture_output=True, check=True, text=True
        )
        self.there = {name.replace("_", "-") for name in done.stdout.split()}

    def install(self, needed: list[str]) -> None:
        """Install what a page says."""
        if needed:
            self._uv("pip", "install", "--quiet", "--python", str(self._bin / "python"), *needed)

    def follow(self, page: Path) -> str:
        """Do what a page says; return what went wrong, empty if nothing did."""
        text = page.read_text(encoding="utf-8")
        missing = unnamed(text, [*self.there, *requirements(text, self.built)])
        if missing:
            return f"it imports {sorted(missing)}, and does not say to install them"
        folder = Path(tempfile.mkdtemp(prefix=f"{page.stem}-", dir=self.folder))
        try:
            self._walk(page, text, folder / "walk")
            wrong = self._run_examples(text, folder / "examples")
        except AssertionError as error:
            return str(error)
        return wrong

    def _walk(self, page: Path, text: str, folder: Path) -> None:
        if not any(step.file for step in steps(text)) or ("node " in text and not _has_node()):
            return
        folder.mkdir()
        printed = Walkthrough(folder, self._environment(), done=self._note).walk(text)
        if self.record:
            page.write_text(printed, encoding="utf-8")
        lines = difflib.unified_diff(text.splitlines(), printed.splitlines(), lineterm="", n=0)
        differing = "\n".join(lines)
        assert self.record or not differing, f"if this is right, use --record:\n{differing}"

    def _run_examples(self, text: str, folder: Path) -> str:
        chosen = examples(text.partition(MARK)[0])
        if not chosen:
            return ""
        folder.mkdir()
        seen, printed = outcomes(folder, chosen, self._bin / "python", self._environment())
        return "" if set().union(*seen.values()) == {"passed"} and all(seen.values()) else printed

    def _note(self, command: str) -> None:
        if command.startswith("pytest") and not self.first_green:
            self.first_green = time.monotonic() - self.began

    def _environment(self) -> dict[str, str]:
        path = f"{self._bin}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", "COLUMNS": "80"}

    @staticmethod
    def _uv(*arguments: str) -> None:
        subprocess.run([str(UV), "--no-python-downloads", *arguments], check=True)


def _has_node() -> bool:
    there = shutil.which("node") is not None
    assert there or os.environ.get("TURRIS_REQUIRE_ALL") != "1", "Node.js is not installed"
    return there


def main(*, record: bool) -> int:
    """Follow all pages; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="turris-newcomer-") as folder:
        someone = Newcomer(Path(folder), record=record)
        someone.built = str(wheel(cache=Path(folder)))
        texts = {page: page.read_text() for page in (*BEGINNING, *GUIDES)}
        needed = {page: requirements(text, someone.built) for page, text in texts.items()}
        someone.begin([word for page in BEGINNING for word in needed[page]])
        wrong = {page: someone.follow(page) for page in BEGINNING}
        someone.install([word for page in GUIDES for word in needed[page]])
        with ThreadPoolExecutor(2) as pool:
            wrong |= dict(zip(GUIDES, pool.map(someone.follow, GUIDES), strict=True))
    for page, text in wrong.items():
        print(f"{'FAILED' if text else 'ok':7}{page.relative_to(ROOT)}\n{text}".rstrip())  # noqa: T201
    print(f"{someone.first_green:.0f} s to the first green test, with the build of the wheel.")  # noqa: T201
    return int(any(wrong.values()))


if __name__ == "__main__":
    sys.exit(main(record="--record" in sys.argv))
