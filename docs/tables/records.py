"""The collections of a sandbox with their methods, for ``docs/reference/records.md``."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from pytest_turris.core.entity.records import CollectionAttribute, Collections
from pytest_turris.core.resources.collection import Collection

_HIDDEN = ("follow", "leave", "at", "ingest", "numbered", "receive", "read", "current",
           "individual", "firm", "why_not", "occupy", "with_npn", "with_producer_code", "shown",
           "is_shown", "enqueue", "npns")  # fmt: skip
"""What the sandbox itself calls."""


def as_markdown() -> str:
    """A section for each collection, with the keywords of its methods."""
    kinds = {
        name: member.kind
        for name, member in vars(Collections).items()
        if isinstance(member, CollectionAttribute)
    }
    return "\n".join(line for name, kind in kinds.items() for line in _section(name, kind))


def _section(name: str, kind: type[Collection[Any]]) -> Iterator[str]:
    yield f"## `turris.{name}`\n"
    yield f"{_summary(kind)}\n"
    for method_name, method in _methods(kind):
        yield f"`{method_name}`: {_summary(method)}\n"
        if keywords := list(_keywords(method)):
            yield "| Keyword | Default |\n|---|---|"
            yield "\n".join(f"| `{keyword}` | {default} |" for keyword, default in keywords) + "\n"


def _methods(kind: type[Collection[Any]]) -> Iterator[tuple[str, Callable[..., Any]]]:
    common = vars(Collection)
    for name, member in vars(kind).items():
        if name.startswith("_") or name in _HIDDEN or name in common:
            continue
        if inspect.isfunction(member):
            yield name, member


def _keywords(method: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        if parameter.default is inspect.Parameter.empty:
            yield parameter.name, "required"
        else:
            yield parameter.name, _shown(parameter.default)


def _shown(default: object) -> str:
    if default is None or default in ((), ""):
        return "-"
    return f"`{default}`".replace("|", "\\|") if isinstance(default, str) else f"`{default!r}`"


def _summary(documented: object) -> str:
    return inspect.getdoc(documented).partition("\n\n")[0].replace("\n", " ").replace("``", "`")  # type: ignore[union-attr] # all have one
