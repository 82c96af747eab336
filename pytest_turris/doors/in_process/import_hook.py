"""Doors to libraries that the process may never load: they open when one is imported.

Importing httpx2 takes 17 ms and requests 36 ms, and a run that uses neither pays for neither.
Code under test may import its library as late as inside a function; the door is open by then.
"""

import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def when_imported(
    libraries: Iterable[str], then: Callable[[str], object], until: ExitStack
) -> None:
    """Call ``then`` with each library once it is loaded, at once if it is; ``until`` ends it."""
    awaited = set()
    for library in libraries:
        if library in sys.modules:
            then(library)
        else:
            awaited.add(library)
    if awaited:
        arrival = Arrival(awaited, then)
        sys.meta_path.insert(0, arrival)
        until.callback(sys.meta_path.remove, arrival)


class Arrival(MetaPathFinder):
    """Finds nothing itself: it tells when a library has been loaded the usual way."""

    def __init__(self, libraries: Collection[str], then: Callable[[str], object]) -> None:
        self._libraries = libraries
        self._then = then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the others find, with a loader that tells when it is done."""
        if fullname not in self._libraries:
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
            self._then(spec.name)

        loader.exec_module = load_and_tell
