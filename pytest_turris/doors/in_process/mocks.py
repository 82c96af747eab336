"""Lets other libraries' mocks stand next to a door: requests for Turris hosts pass them."""

import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cache, partial
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from pytest_turris.core.errors import TurrisKitWarning
from pytest_turris.doors.in_process.import_hook import ImportHook
from pytest_turris.process.closing import close_all
from pytest_turris.process.patch import Patch

_Wrapper = Callable[[Callable[..., Any]], Callable[..., Any]]


class MocksStepAside(AbstractContextManager[None]):
    """Patches mocks while it is open, as soon as they are imported.

    Args:
        patches: By the name of a mock's module, what makes its patch.
    """

    def __init__(self, patches: Mapping[str, Callable[[ModuleType], Patch]]) -> None:
        self._patches = patches
        self._opened: list[AbstractContextManager[None]] = []

    def __enter__(self) -> None:
        possible = [name for name in self._patches if name in sys.modules or _is_installed(name)]
        self._enter(ImportHook(possible, self._patch))

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


@cache
def _is_installed(name: str) -> bool:
    return find_spec(name.partition(".")[0]) is not None


@cache
def patch_of_vcr(answer: _Wrapper, answer_async: _Wrapper, stubs: ModuleType) -> Patch:
    """A cassette of vcrpy leaves requests for Turris hosts to the door, and does not record them.

    It puts methods of its own on the transports of httpx, whatever is there: these functions make
    them.

    Args:
        answer: What the door does with a transport's method.
        answer_async: The same for an async transport.
        stubs: vcrpy's module with the functions.
    """

    def making(answer: _Wrapper, make: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kw: answer(make(*args, **kw))

    return Patch(
        (stubs, "vcr_handle_request", partial(making, answer)),
        (stubs, "vcr_handle_async_request", partial(making, answer_async)),
    )
