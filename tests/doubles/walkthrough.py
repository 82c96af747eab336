"""Runs a page as a reader would: writes its files, enters its commands, compares what they print.

A file is a code block after a line that ends with its name in code and a colon. A command is a line
of a ``console`` block that begins with ``$``; the lines below it are what it prints. There, ``...``
stands for any text, and a line of its own for any lines. Times in seconds are not compared. A page
that exports ``PORT`` gets a free one.
"""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from doubles import tethered
from doubles.ports import free_port

_FILE = r"(?:`(?P<file>[\w./-]+\.(?:py|mjs|feature|txt|toml|yml))`[^`\n]*:\n\n)?"
_STEP = re.compile(_FILE + r"```(?P<language>\w+)\n(?P<text>.*?)\n?```", re.DOTALL)
_SECONDS = re.compile(r"\bin \d+\.\d+s(?: \([\d:]+\))?")
_NUMBER = re.compile(r"\d+")
_INSTALLS = re.compile(r"(?:python -m venv|\. \S+/activate|(?:python -m )?pip3? |npm i)")
_EXPORT = re.compile(r"export (\w+)=(\S+)")
_TIMEOUT = 300


@dataclass(frozen=True)
class Step:
    """A file to write, or a command with what it prints."""

    file: str = ""
    command: str = ""
    text: str = ""

    @property
    def installs(self) -> bool:
        """Whether it makes an environment, which the tests have already."""
        return bool(_INSTALLS.match(self.command))


class StepError(AssertionError):
    """A command printed something else than the page says."""


def steps(page: str) -> list[Step]:
    """The steps of a page, in order. Other code blocks are not part of the walk."""
    return [step for block in _STEP.finditer(page) for step in _steps_of(block)]


def snippets(page: str) -> list[str]:
    """The Python of a page that is not a file of the walk: each is a test module by itself."""
    blocks = (block for block in _STEP.finditer(page) if block["language"] == "python")
    return [textwrap.dedent(f"{block['text']}\n") for block in blocks if not block["file"]]


def _steps_of(block: re.Match[str]) -> Iterator[Step]:
    if block["language"] == "console":
        for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
            command, _, printed = part.replace("\\\n", " ").partition("\n")
            yield Step(command=command, text=printed)
    elif block["file"]:
        yield Step(file=block["file"], text=block["text"] + "\n")


@dataclass
class Walkthrough:
    """Walks through a page in a folder.

    Args:
        folder: Where the files go and the commands run.
        environment: The environment of the commands.
        installing: Whether commands that install are run as well.
        done: Called with each command that printed what the page shows.
    """

    folder: Path
    environment: dict[str, str]
    installing: bool = False
    done: Callable[[str], object] = field(default=lambda _: None)

    def walk(self, page: str) -> str:
        """Take each step; return the page with the numbers that this run printed.

        Raises:
            StepError: More than numbers differ between what a command printed and the page.
        """
        for step in steps(page):
            if step.file:
                file = self.folder / step.file
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(step.text)
            elif self.installing or not step.installs:
                printed = self._enter(step)
                page = page.replace(step.text, printed) if step.text else page
        return page

    def _enter(self, step: Step) -> str:
        """Run a command; return what the page should show for it."""
        if exported := _EXPORT.fullmatch(step.command):
            name, value = exported.groups()
            self.environment[name] = str(free_port()) if name == "PORT" else value
            return step.text
        status, printed = self._run(step.command)
        if step.installs and status:
            raise StepError(f"$ {step.command}\n{printed}")
        shown = step.text if step.installs else as_printed(step.text, printed)
        if shown is None:
            raise StepError(f"$ {step.command}\n{printed}\n--- the page shows:\n{step.text}")
        self.done(step.command)
        return shown

    def _run(self, command: str) -> tuple[int, str]:
        """Run a command, which ends when this process does; return its status and its output."""
        with subprocess.Popen(
            [sys.executable, tethered.__file__, command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            printed = process.stdout.read()
            return process.wait(_TIMEOUT), printed


def as_printed(shown: str, printed: str) -> str | None:
    """What a page shows of a command, with the numbers that it printed now.

    Times stay as they are. None: more than numbers differ.
    """
    patterns = [_line_pattern(line) for line in _plain(shown).splitlines()]
    found = re.fullmatch("".join(patterns), _plain(printed) + "\n" if printed.strip() else "")
    if found is None:
        return None
    numbers = iter(found.groups())
    return "".join(
        part if _SECONDS.fullmatch(part) else _NUMBER.sub(lambda _: next(numbers), part)
        for part in re.split(f"({_SECONDS.pattern})", shown)
    )


def _plain(text: str) -> str:
    lines = _SECONDS.sub("in s", text).strip().splitlines()
    return "\n".join(line.rstrip() for line in lines)


def _line_pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    return ".*".join(_NUMBER.sub(r"(\\d+)", re.escape(part)) for part in line.split("...")) + "\n"


def environment(bin_folder: Path, root: Path) -> dict[str, str]:
    """The environment of a test run: our packages, and no plugin but ours.

    Args:
        bin_folder: Where ``pytest`` and ``python`` are.
        root: The checkout.
    """
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        # anyio comes with httpx, so a reader has its plugin too.
        "PYTEST_ADDOPTS": "-p pytest_turris.plugin -p anyio.pytest_plugin -p no:cacheprovider",
        "COLUMNS": "80",
    }
