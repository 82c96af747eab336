"""Finds the files that the code under test writes, renames and makes, with any library."""

import builtins
import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_turris.process.patch import Patch, Replacement

Open = Callable[..., Any]

_PRIVATE = 0o077
_READ = 1_048_576
_DEEPEST = 3
_MOST_ENTRIES = 3_000
_DATABASES = ("", ".db", ".dat", ".dir", ".pag", "-wal", "-journal")
_SQLITE = b"SQLite format 3"
_PASSED_OVER = frozenset({".git", ".hg", ".venv", "venv", "node_modules", "__pycache__"})


@dataclass
class WrittenFiles:
    """Names of files and directories."""

    opened: set[str] = field(default_factory=set)
    """Files that were opened for writing, databases included, and files that are new."""
    renamed: set[str] = field(default_factory=set)
    """The names that files were given: a reader of such a file sees all of it or nothing."""
    directories: set[str] = field(default_factory=set)
    """Directories that were made."""
    were_public: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Files whose mode was changed after others could read them: the mode before, the content."""

    def with_secret(self, secrets: list[str]) -> list[Path]:
        """The files that hold one of the secrets."""
        return [
            Path(name)
            for name in sorted(self.opened | self.renamed)
            if any(secret.encode() in _content(name) for secret in secrets)
        ]

    def find_public(self, secrets: list[str]) -> str:
        """The name of a file that holds a secret and that others may read; or empty."""
        for path in self.with_secret(secrets):
            mode = path.stat().st_mode
            if mode & _PRIVATE and not self.is_shut(path.parent):
                return f"{path.name} (mode {mode & 0o777:04o})"
        for name, (mode, content) in self.were_public.items():
            if any(secret.encode() in content for secret in secrets):
                return f"{Path(name).name} (mode {mode:04o} until it was changed)"
        return ""

    def written_in_place(self, secrets: list[str]) -> list[Path]:
        """The files with a secret that a reader could see half written, also after a crash."""
        return [
            path
            for path in self.with_secret(secrets)
            if str(path) not in self.renamed and not path.read_bytes().startswith(_SQLITE)
        ]

    def is_shut(self, directory: Path) -> bool:
        """Whether the client makes sure that other users cannot enter the file's directory.

        The directories of a test are private too, but only there.
        """
        theirs = {Path.cwd(), Path.home(), *Path(tempfile.gettempdir()).resolve().parents}
        if directory in theirs or directory.stat().st_mode & _PRIVATE:
            return False
        for_tests = Path(tempfile.gettempdir()).resolve() in directory.resolve().parents
        return not for_tests or str(directory) in self.directories


@contextlib.contextmanager
def written_files(files: WrittenFiles, *, search: bool = False) -> Iterator[None]:
    """Note what is written while the context is open.

    Args:
        files: Gets the names.
        search: Look for new files in the working directory, HOME and TMPDIR as well, which finds
            what was written without Python's own functions.
    """
    before = _entries() if search else {}
    with Patch(*_replacements(files)):
        yield
    if search:
        files.opened |= {name for name, state in _entries().items() if before.get(name) != state}


def _replacements(files: WrittenFiles) -> list[Replacement]:
    replacements: list[Replacement] = [
        (builtins, "open", lambda original: _opening(files, original)),
        (io, "open", lambda original: _opening(files, original)),
        (os, "open", lambda original: _opening_low(files, original)),
        (os, "chmod", lambda original: _changing_mode(files, original)),
        (os, "mkdir", lambda original: _making(files, original)),
        (os, "rename", lambda original: _renaming(files, original)),
        (os, "replace", lambda original: _renaming(files, original)),
    ]
    for module, name in (("sqlite3", "connect"), ("dbm", "open")):
        if module in sys.modules:
            database = (sys.modules[module], name, lambda original: _connecting(files, original))
            replacements.append(database)
    return replacements


def _opening(files: WrittenFiles, original: Open) -> Open:
    def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as open
        if not isinstance(file, int) and set(mode) & set("wax+"):
            files.opened.add(os.fsdecode(file))
        return original(file, mode, *args, **kwargs)

    return opened


def _opening_low(files: WrittenFiles, original: Open) -> Open:
    def opened(path: Any, flags: int, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as os.open
        if flags & (os.O_WRONLY | os.O_RDWR):
            files.opened.add(os.fsdecode(path))
        return original(path, flags, *args, **kwargs)

    return opened


def _making(files: WrittenFiles, original: Open) -> Open:
    def mkdir(path: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as os.mkdir
        files.directories.add(os.fsdecode(path))
        return original(path, *args, **kwargs)

    return mkdir


def _changing_mode(files: WrittenFiles, original: Open) -> Open:
    def chmod(path: Any, mode: int, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as os.chmod
        with contextlib.suppress(OSError, TypeError):
            before = os.stat(path).st_mode & 0o777  # noqa: PTH116 - a file may be given by its number
            name = os.fsdecode(path)
            if before & _PRIVATE & ~mode and not files.is_shut(Path(name).parent):
                files.were_public[name] = (before, _content(name))
        return original(path, mode, *args, **kwargs)

    return chmod


def _renaming(files: WrittenFiles, original: Open) -> Open:
    def rename(source: Any, target: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as os.rename
        files.renamed.add(os.fsdecode(target))
        return original(source, target, *args, **kwargs)

    return rename


def _connecting(files: WrittenFiles, original: Open) -> Open:
    def connect(name: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as sqlite3.connect
        with contextlib.suppress(TypeError):  # the library refuses other kinds of names
            path = os.fsdecode(name)
            files.opened |= {f"{path}{ending}" for ending in _DATABASES}
        return original(name, *args, **kwargs)

    return connect


def _content(name: str) -> bytes:
    with contextlib.suppress(OSError):
        return Path(name).read_bytes()[:_READ]
    return b""


def _is_searched(entry: os.DirEntry[str], depth: int) -> bool:
    near = depth < _DEEPEST and entry.name not in _PASSED_OVER
    return near and entry.is_dir(follow_symlinks=False)


def _entries() -> dict[str, tuple[int, int]]:
    """The files in these directories, each with its time of change and its size."""
    found: dict[str, tuple[int, int]] = {}
    roots = {Path.cwd(), Path.home(), Path(tempfile.gettempdir())}
    waiting = [(str(root), 0) for root in sorted(roots)]
    while waiting and len(found) < _MOST_ENTRIES:
        directory, depth = waiting.pop(0)
        with contextlib.suppress(OSError), os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    state = entry.stat(follow_symlinks=False)
                    found[entry.path] = (state.st_ctime_ns, state.st_size)
                elif _is_searched(entry, depth):
                    waiting.append((entry.path, depth + 1))
    return found
