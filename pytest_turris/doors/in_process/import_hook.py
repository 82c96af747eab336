"""Opens doors to libraries that the process may never load, when one of them is imported.

Importing httpx2 takes 17 ms and requests 36 ms; a run that uses neither does not pay for them.
Code under test may import its library as late as inside a function: the door is open by then.
"""

import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from itertools import dropwhile
from types import ModuleType
from typing import Any


class ImportHook(MetaPathFinder, AbstractContextManager[None]):
    """Calls back once for each library that is imported while the context is open.

    It finds no modules itself: it calls back when another finder's module has been loaded.

    Args:
        libraries: The names of top-level modules.
        callback: Gets the name of a library once it is loaded; at once if it is loaded already.
    """

    def __init__(self, libraries: Collection[str], callback: Callable[[str], object]) -> None:
        self._libraries = libraries
        self._callback = callback

    def __enter__(self) -> None:
        awaited = []
        for library in self._libraries:
            if library in sys.modules:
                self._callback(library)
            else:
                awaited.append(library)
        self._libraries = awaited
        if awaited:
            sys.meta_path.insert(0, self)

    def __exit__(self, *_: object) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders find; its loader calls back when it is done."""
        if fullname not in self._libraries:
            return None
        # Those before it have been asked; among those after it can be another hook, which calls
        # back too.
        later = list(dropwhile(lambda finder: finder is not self, sys.meta_path))[1:]
        found = (finder.find_spec(fullname, path, target) for finder in later)
        spec = next(filter(None, found), None)
        if spec is not None and spec.loader is not None:
            self._call_after(spec)
        return spec

    def _call_after(self, spec: ModuleSpec) -> None:
        loader: Any = spec.loader
        load, of_another_hook = loader.exec_module, vars(loader).get("exec_module")

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            if of_another_hook:
                loader.exec_module = of_another_hook
            load(module)
            self._callback(spec.name)

        loader.exec_module = exec_module
