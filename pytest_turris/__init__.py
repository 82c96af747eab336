"""A pytest plugin that stands in for the Turris public API.

The names below are for annotations and direct use; a test gets what it needs from fixtures.
They are loaded when first asked for, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_turris.core.options import OptionError, Options
    from pytest_turris.core.sandbox import Sandbox

_HOMES = {
    "OptionError": "pytest_turris.core.options",
    "Options": "pytest_turris.core.options",
    "Sandbox": "pytest_turris.core.sandbox",
}

__all__ = ["OptionError", "Options", "Sandbox"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names above
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
