"""Lets other libraries' mocks stand next to a door: requests for Turris hosts pass them."""

import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import ModuleType

from pytest_turris.core.errors import TurrisKitWarning
from pytest_turris.doors.in_process.import_hook import ImportHook
from pytest_turris.process.closing import close_all
from pytest_turris.process.patch import Patch


class MocksStepAside(AbstractContextManager[None]):
    """Patches mocks while it is open, as soon as they are imported.

    Args:
        patches: By the name of a mock's module, what makes its patch.
    """

    def __init__(self, patches: Mapping[str, Callable[[ModuleType], Patch]]) -> None:
        self._patches = patches
        self._opened: list[AbstractContextManager[None]] = []

    def __enter__(self) -> None:
        self._enter(ImportHook(self._patches, self._patch))

    def __exit__(self, *_: object) -> None:
        close_all(self._opened)

    def _patch(self, name: str) -> None:
        try:
            self._enter(self._patches[name](sys.modules[name]))
        except AttributeError as error:  # raised, it would come out of the user's own import
            warnings.warn(
                f"this version of {name.partition('.')[0]} keeps requests for Turris from the "
                f"sandbox: {error}. Fix: install another version of it, or use turris_server",
                TurrisKitWarning,
                stacklevel=2,
            )

    def _enter(self, context: AbstractContextManager[None]) -> None:
        context.__enter__()
        self._opened.append(context)
