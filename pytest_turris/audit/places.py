"""Where a call was made: the first frame that is neither a library's nor a test tool's."""

import sys
import sysconfig
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType

_OWN = Path(__file__).parents[1]
_DEEPEST = 400
_INSTALLED = ("/site-packages/", "/dist-packages/")


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Place:
    """A line of code, or what is known without one.

    Args:
        path: Relative to the base of the report, with forward slashes.
        line: Counted from 1; 0 if the line of code is not known: then the path is a file that
            stands for the project, which waivers and code hosts need and people are not shown.
        symbol: The function around it, or the operation that was called; empty for a file as a
            whole.
    """

    path: str
    line: int = 1
    symbol: str = ""


class CallSite:
    """Where a call came from, not yet read: a code object and a line.

    ``step`` tells apart the calls that a test makes: two requests of one call have the same.
    ``strand`` tells apart what runs at the same time: threads, and tasks of an event loop. It is 0
    where that is not known.
    """

    __slots__ = ("code", "line", "step", "strand")

    def __init__(self, code: CodeType | None, line: int, step: int, strand: int = 0) -> None:
        self.code: CodeType | None = code
        self.line: int = line
        self.step: int = step
        self.strand: int = strand


NOWHERE: CallSite = CallSite(None, 0, -1)
"""The call came from another process, or from libraries alone."""


def call_of(frame: FrameType | None, test: CodeType | None) -> CallSite:
    """The application's innermost frame among the callers of a frame.

    Args:
        frame: Where to begin.
        test: The code of the test function; the search for the step ends there.
    """
    code, line, step = None, 0, -1
    deepest = _DEEPEST
    while frame is not None and deepest:
        found = frame.f_code
        if code is None and is_of_application(found.co_filename):
            code, line = found, frame.f_lineno
        if found is test:
            step = frame.f_lasti
            break
        frame = frame.f_back
        deepest -= 1
    return CallSite(code, line, step, _strand()) if code else NOWHERE


def _strand() -> int:
    """The current thread, and its task; the number of an ended one can be reused."""
    asyncio = sys.modules.get("asyncio")  # to import it would take longer than the command's help
    try:
        task = asyncio.current_task() if asyncio else None
    except RuntimeError:  # there is no event loop in this thread
        task = None
    return hash((threading.get_ident(), id(task)))


@lru_cache(maxsize=4_096)
def is_of_application(filename: str) -> bool:
    """Whether a source file is of neither a library, nor the standard library, nor of this kit."""
    if filename.startswith("<"):
        return False
    path = filename.replace("\\", "/")
    if any(part in path for part in _INSTALLED):
        return False
    return not any(path.startswith(f"{root}/") for root in _library_roots())


@lru_cache(maxsize=1)
def _library_roots() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    roots = {Path(paths[name]).as_posix() for name in ("stdlib", "platstdlib", "purelib")}
    server = _OWN.parent / "mock_server"
    return (*sorted(roots), _OWN.as_posix(), server.as_posix())


class PlaceFinder:
    """Makes places of calls.

    Args:
        base: Places are relative to this directory; files outside of it have none.
    """

    def __init__(self, base: Path) -> None:
        self._base = base.resolve()

    def relative(self, filename: str) -> str:
        """A file's path below the base, with forward slashes; empty for a file elsewhere."""
        try:
            return Path(filename).resolve().relative_to(self._base).as_posix()
        except ValueError:
            return ""

    def place(self, call: CallSite, fallback: Place) -> Place:
        """The place of a call; if it has none below the base, the fallback: the test's line."""
        path = self.relative(call.code.co_filename) if call.code else ""
        if not path or call.code is None:
            return fallback
        return Place(path=path, line=max(call.line, 1), symbol=call.code.co_qualname)


def base_of(root: Path) -> Path:
    """The directory that the report's paths are relative to: the repository's, else ``root``."""
    for directory in (root, *root.parents):
        if (directory / ".git").exists():
            return directory
    return root
