"""Merges what a test overrides in an event over the documented example."""

from collections.abc import Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.text.names import nearest

_ENVELOPE = frozenset({"payload", "upstreamEntityId", "upstream_entity_id"})


class EventMemberError(TurrisKitError, TypeError):
    """A keyword is not a member of the event, or is given twice."""


def merge_overrides(example: object, change: object, path: str) -> Any:  # noqa: ANN401 - as deep as JSON
    """Return the example with a change merged over it, at any depth.

    Objects merge member by member, in camelCase or snake_case. A list is as long as the change's,
    and each of its objects merges over the example's first.

    Args:
        example: The example, as JSON.
        change: What differs from it, as JSON.
        path: The place of both in the event, for messages.

    Raises:
        EventMemberError: The example does not have a member; the message names the nearest.
    """
    if isinstance(example, dict) and isinstance(change, Mapping):
        return example | {
            name: merge_overrides(example[name], value, f"{path}.{name}")
            for name, value in with_camel_case_names(change, example, path).items()
        }
    if isinstance(example, list) and isinstance(change, list | tuple):
        return [
            merge_overrides(example[0], value, f"{path}[{i}]") for i, value in enumerate(change)
        ]
    return change


def with_camel_case_names(
    change: Mapping[str, object], members: Mapping[str, object], path: str
) -> dict[str, object]:
    """Return a change with its members in camelCase.

    Raises:
        EventMemberError: A member is unknown, or given in both spellings.
    """
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


def merged_members(own: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """Return two sets of keywords for an event as one, the second over the first.

    Members of the payload go into each entry of a payload that the other set gives whole.

    Args:
        own: The members that a receiver requires.
        given: The members that are changed, which take precedence.
    """
    merged = {**own, **given}
    inside = {name: value for name, value in merged.items() if name not in _ENVELOPE}
    if "payload" not in merged or not inside:
        return merged
    winner = {} if "payload" in given else inside
    loser = inside if "payload" in given else {}
    envelope = {name: value for name, value in merged.items() if name in _ENVELOPE}
    return envelope | {"payload": _into_entries(merged["payload"], loser, winner)}


def _into_entries(payload: Any, below: Mapping[str, object], above: Mapping[str, object]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(payload, Mapping):
        return {**below, **payload, **above}
    if isinstance(payload, list | tuple):
        return [_into_entries(entry, below, above) for entry in payload]
    return payload


def _hint(name: str, members: Mapping[str, object]) -> str:
    near = nearest(name, members)
    return f"did you mean {near!r}?" if near else f"it has {', '.join(members)}"
