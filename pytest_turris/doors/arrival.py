"""Doors to libraries that the process may never load: they open when one is imported.

Importing httpx2 takes 17 ms and requests 36 ms, and a run that uses neither pays for neither.
Code under test may import its library as late as inside a function; the door is open by then.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def upon_import(library: str, then: Callable[[], object], until: ExitStack) -> None:
    """Call ``then`` once the library is loaded, at once if it is; ``until`` ends the wait."""
    if library in sys.modules:
        then()
    else:
        arrival = Arrival(library, then)
        sys.meta_path.insert(0, arrival)
        until.callback(sys.meta_path.remove, arrival)


class Arrival(MetaPathFinder):
    """Finds nothing itself: it tells when a library has been loaded the usual way."""

    def __init__(self, library: str, then: Callable[[], object]) -> None:
        self._library = library
        self._then = then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the others find, with a loader that tells when it is done."""
        if fullname != self._library:
            return None
        others = (finder for finder in sys.meta_path if not isinstance(finder, Arrival))
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next(filter(None, found), None)
        if spec is not None and spec.loader is not None:
            self._tell_after(spec)
        return spec

    def _tell_after(self, spec: ModuleSpec) -> None:
        loader: Any = spec.loader
        load = loader.exec_module

        def load_and_tell(module: ModuleType) -> None:
            del loader.exec_module
            load(module)
            self._then()

        loader.exec_module = load_and_tell
