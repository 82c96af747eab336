"""What a test says about an event, laid over the documented example."""

import difflib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pydantic.alias_generators import to_camel

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.outbox.event_models import Event

_FRESH = object()


class EventMemberError(TurrisKitError, TypeError):
    """A keyword is not a member of the event, or is given twice."""


@cache
def template(event: type[Event]) -> dict[str, Any]:
    """The example of an event with every optional member, and a gap for each id in it.

    Shared by all callers, who lay changes over it and leave it as it is.
    """
    example: dict[str, Any] = _with_gaps(event.model_validate({}).model_dump(by_alias=True))
    return example


@cache
def documented(event: type[Event]) -> dict[str, Any]:
    """The example of an event as it is sent, with a gap for each id in it; shared as well."""
    example: dict[str, Any] = _with_gaps(event.model_validate({}).wire())
    return example


def filled(node: object, new_id: Callable[[], str]) -> Any:  # noqa: ANN401 - as deep as JSON
    """A copy in which each gap left for an id holds a fresh one."""
    if isinstance(node, dict):
        # Most values are texts, which need no look inside: it is half of the time.
        return {
            name: value if type(value) is str else filled(value, new_id)
            for name, value in node.items()
        }
    if node is _FRESH:
        return new_id()
    return [filled(value, new_id) for value in node] if isinstance(node, list) else node


def merged(example: object, change: object, path: str) -> Any:  # noqa: ANN401 - as deep as JSON
    """The example with a change laid over it, at any depth.

    Objects merge member by member, in camelCase or snake_case. A list is as long as the change
    says, and each of its objects merges over the first of the example.

    Raises:
        TypeError: A member that the example lacks, with the nearest that it has.
    """
    if isinstance(example, dict) and isinstance(change, Mapping):
        return example | {
            name: merged(example[name], value, f"{path}.{name}")
            for name, value in named(change, example, path).items()
        }
    if isinstance(example, list) and isinstance(change, list | tuple):
        return [merged(example[0], value, f"{path}[{i}]") for i, value in enumerate(change)]
    return change


def named(
    change: Mapping[str, object], members: Mapping[str, object], path: str
) -> dict[str, object]:
    """A change with its members in camelCase; EventMemberError for an unknown or a repeated one."""
    names: dict[str, object] = {}
    for key, value in change.items():
        name = to_camel(str(key))
        if name not in members:
            raise EventMemberError(f"{path} has no member {key!r}: {_hint(name, members)}")
        if name in names:
            raise EventMemberError(
                f"{path}: {name!r} is given twice, in camelCase and in snake_case"
            )
        names[name] = value
    return names


def _hint(name: str, members: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, members, n=1)
    return f"did you mean {near[0]!r}?" if near else f"it has {', '.join(members)}"


def _with_gaps(node: object) -> Any:  # noqa: ANN401 - as deep as JSON
    if isinstance(node, dict):
        return {
            name: _FRESH if name.endswith("Id") else _with_gaps(value)
            for name, value in node.items()
        }
    return [_with_gaps(value) for value in node] if isinstance(node, list) else node
