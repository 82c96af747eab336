"""The pages of the Python API: which class is on which page; Sphinx reads their docstrings."""

import inspect
from collections.abc import Iterator

import pytest_turris
from pytest_turris import Sandbox
from pytest_turris.core.entity.records import CollectionAttribute
from pytest_turris.core.resources.collection import Collection

_WEBHOOKS = (
    "TurrisWebhooks", "SignedWebhook", "SignatureScheme", "LambdaReceiver",
)  # fmt: skip
_CHECKS = ("TokenCase", "HostileCase", "AttackRun")
_TIME = ("TimeTravel",)
_SERVER = ("Server",)
_OPTIONS = ("Options",)
_OURS = "pytest_turris."


def page(name: str) -> str:
    """The part of one page that is made."""
    sections = [_section(home) for home in _PAGES[name]()]
    return "\n".join(sections or ["All other names are on the pages above.\n"])


def homes() -> list[str]:
    """Every class that is on a page, by the name under which it is documented."""
    return [home for listed in _PAGES.values() for home in listed()]


def parts_of_the_sandbox() -> Iterator[str]:
    """The classes of what a sandbox has: its clock, faults, limits, journal, and so on."""
    sandbox = Sandbox()
    seen: set[type] = set()
    for name in sorted(name for name in dir(sandbox) if not name.startswith("_")):
        kind = type(getattr(sandbox, name))
        ours = kind.__module__.startswith(_OURS) and not issubclass(kind, Collection)
        if ours and kind is not pytest_turris.Options and kind not in seen:
            seen.add(kind)
            yield f"{kind.__module__}.{kind.__qualname__}"
    yield "pytest_turris.core.journal.exchange.Exchange"
    yield "pytest_turris.core.journal.expectations.ExpectedRefusal"


def collections() -> Iterator[str]:
    """What all collections share, and then each one with the record that it keeps."""
    yield f"{Collection.__module__}.{Collection.__qualname__}"
    attributes = inspect.getmembers(Sandbox, lambda one: isinstance(one, CollectionAttribute))
    for _, attribute in attributes:
        for kind in (attribute.kind, attribute.kind.kind):
            yield f"{kind.__module__}.{kind.__qualname__}"


def problems() -> Iterator[str]:
    """The exceptions and warnings."""
    for name in pytest_turris.__all__:
        kind = getattr(pytest_turris, name)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            yield f"pytest_turris.{name}"


def others() -> Iterator[str]:
    """Public names that no other page has."""
    listed = {
        home.rpartition(".")[2] for name in NAMES if name != "more" for home in _PAGES[name]()
    }
    yield from (f"pytest_turris.{name}" for name in pytest_turris.__all__ if name not in listed)


def _public(*names: str) -> Iterator[str]:
    yield from (f"pytest_turris.{name}" for name in names)


_PAGES = {
    "sandbox": lambda: [*_public("Sandbox"), *parts_of_the_sandbox()],
    "collections": lambda: list(collections()),
    "time": lambda: list(_public(*_TIME)),
    "webhooks": lambda: list(_public(*_WEBHOOKS)),
    "checks": lambda: list(_public(*_CHECKS)),
    "server": lambda: list(_public(*_SERVER)),
    "options": lambda: list(_public(*_OPTIONS)),
    "errors": lambda: list(problems()),
    "more": lambda: list(others()),
}
NAMES = tuple(_PAGES)


def _section(home: str) -> str:
    """A class with its members. What it inherits is shown where a reader would look for it."""
    inherited = "\n   :inherited-members:" if home in _WITH_INHERITED else ""
    name = home.rpartition(".")[2]
    is_class = isinstance(getattr(pytest_turris, name, type), type)
    directive = (
        f"autoclass:: {home}\n   :members:{inherited}" if is_class else f"autofunction:: {home}"
    )
    return f"## {name}\n\n```{{eval-rst}}\n.. {directive}\n```\n"


_WITH_INHERITED = frozenset(_public("Sandbox", *_WEBHOOKS, *_CHECKS, *_TIME, *_SERVER))
