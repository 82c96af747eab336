"""Reads the files of a scan: what is not text, too large or a library's is passed over."""

import gzip
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LIBRARIES = frozenset(
    {
        ".git", ".hg", ".svn", "node_modules", "bower_components", "site-packages", "__pycache__",
        ".venv", "venv", ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".gradle",
    }
)  # fmt: skip
LARGEST = 20 * 1024 * 1024
"""Larger files are named, not read."""

_BINARY = 8_192


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A file with its content.

    Args:
        path: Where it is.
        shown: Its path in a report, with forward slashes.
        text: Its content; bytes that are not UTF-8 are kept as single characters.
        is_text: Whether it is text, as far as its beginning shows.
    """

    path: Path
    shown: str
    text: str
    is_text: bool

    def line_at(self, offset: int) -> int:
        """The line of a place in the text, counted from 1."""
        return self.text.count("\n", 0, offset) + 1


class ScannedFiles:
    """The files below some paths, in the order of their names.

    Args:
        paths: Files and directories.
        base: Paths in the report are relative to this directory, if they are below it.
    """

    def __init__(self, paths: Iterable[Path], base: Path) -> None:
        self._paths = tuple(paths)
        self._base = base.resolve()
        self.problems: list[str] = []
        """What was not read, in sentences."""

    def __iter__(self) -> Iterator[ScannedFile]:
        for root in self._paths:
            if not root.exists():
                self.problems.append(f"{root.as_posix()} does not exist, so it was not scanned")
            for path in _below(root):
                if found := self._read(path, root):
                    yield found

    def _read(self, path: Path, root: Path) -> ScannedFile | None:
        shown = self._shown(path, root)
        try:
            content = _content(path)
        except (OSError, EOFError, ValueError) as error:
            self.problems.append(f"{shown} was not scanned: {type(error).__name__}")
            return None
        if content is None:
            limit = LARGEST // 1024 // 1024
            self.problems.append(f"{shown} was not scanned: it is larger than {limit} MiB")
            return None
        is_text = b"\0" not in content[:_BINARY]
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
        return ScannedFile(path, shown, text, is_text)

    def _shown(self, path: Path, root: Path) -> str:
        whole = path.resolve()
        if whole.is_relative_to(self._base):
            return whole.relative_to(self._base).as_posix()
        return Path(root.resolve().name, whole.relative_to(root.resolve())).as_posix()


def _below(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
    for directory, names, files in os.walk(root):
        names[:] = sorted(set(names) - _LIBRARIES)
        paths = (Path(directory, name) for name in sorted(files))
        yield from (path for path in paths if path.is_file() and not path.is_symlink())


def _content(path: Path) -> bytes | None:
    """The bytes of a file, also of one that is compressed for a web server; None if too many."""
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if path.suffix == ".gz" and len(content) <= LARGEST:
        with gzip.open(io.BytesIO(content)) as packed:
            content = packed.read(LARGEST + 1)
    return content if len(content) <= LARGEST else None
