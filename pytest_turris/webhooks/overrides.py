"""What a test says about an event, laid over the documented example."""

from collections.abc import Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.text.names import nearest


class EventMemberError(TurrisKitError, TypeError):
    """A keyword is not a member of the event, or is given twice."""


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
    near = nearest(name, members)
    return f"did you mean {near!r}?" if near else f"it has {', '.join(members)}"
