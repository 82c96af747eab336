"""Payloads unlike the documented ones: emptied, with members missing or of other types."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from pytest_turris.core.levels import Level

JsonPayload: TypeAlias = Any  # as deep as JSON: a list of entries, or one object
Variants = Callable[[JsonPayload], Iterator[tuple[str, JsonPayload]]]

WRONG_VALUES: tuple[Any, ...] = (7, True, "x", [None], {})

_NAMES = frozenset(
    {"branchName", "legalName", "contractContainerTemplateName", "productName", "statusName"}
)
"""Members of the documented events whose text users of Turris enter or choose."""

ROUTING = frozenset({"entity", "entityType", "stateCode", "complianceStatus"})
"""Members whose values are from a short list: receivers may refuse others."""


def crash_level(payload: JsonPayload) -> Level:
    """How serious a crash is: no sender makes null of a payload, only the owner of the key."""
    return "should" if payload is None else "must"


def emptied(payload: JsonPayload) -> Iterator[tuple[str, JsonPayload]]:
    """The payload, its entries, all lists and all objects inside it: each empty in turn."""
    if isinstance(payload, list):
        yield "payload []", []
        yield "payload [{}]", [{}]
        yield "payload [[]]", [[]]
    else:
        yield "payload {}", {}
    yield "empty lists inside", _inside(payload, list)
    yield "empty objects inside", _inside(payload, dict)


def without_members(payload: JsonPayload) -> Iterator[tuple[str, JsonPayload]]:
    """The payload without each of its members in turn, and those of its first product."""
    for member in entry_of(payload):
        yield f"without {member}", with_entry(payload, _left(entry_of(payload), member))
    for product in entry_of(payload).get("products", ())[:1]:
        for member in product:
            changed = entry_of(payload) | {"products": [_left(product, member)]}
            yield f"without products[0].{member}", with_entry(payload, changed)


def wrongly_typed(payload: JsonPayload) -> Iterator[tuple[str, JsonPayload]]:
    """The payload, its entries, each member and all members at once with values of other types."""
    for value in (None, 7, "x", [None], ["x"]):
        yield f"payload {value!r}", value
    entry = entry_of(payload)
    for member in entry:
        yield f"{member} null", with_entry(payload, entry | {member: None})
    for value in WRONG_VALUES:
        # Routing stays, so that the receiver goes on to the others.
        wrong = {name: old if name in ROUTING else value for name, old in entry.items()}
        yield f"every member {value!r}", with_entry(payload, wrong)
    if "products" in entry:
        wrong_states: tuple[Any, ...] = (None, "x", [{}])
        for states in wrong_states:
            products = [product | {"states": states} for product in entry["products"]]
            yield f"states {states!r}", with_entry(payload, entry | {"products": products})


def entry_of(payload: JsonPayload) -> dict[str, Any]:
    """The first entry of a payload, or the payload."""
    entry: dict[str, Any] = payload[0] if isinstance(payload, list) else payload
    return entry


def with_entry(payload: JsonPayload, entry: object) -> JsonPayload:
    """The payload with another entry."""
    return [entry] if isinstance(payload, list) else entry


def with_members(payload: JsonPayload, members: dict[str, Any]) -> JsonPayload:
    """The payload with more members in each entry."""
    if isinstance(payload, list):
        return [entry | members for entry in payload]
    return payload | members


def with_members_everywhere(event: dict[str, Any], members: dict[str, Any]) -> dict[str, Any]:
    """The event with more members in its envelope, and in its payload if it has one."""
    inner = {"payload": with_members(event["payload"], members)} if "payload" in event else {}
    return event | members | inner


def with_texts(node: JsonPayload, change: Callable[[str, str], object]) -> JsonPayload:
    """The node with each text inside replaced by what ``change`` makes of its name and itself."""
    if isinstance(node, list):
        return [with_texts(value, change) for value in node]
    if not isinstance(node, dict):
        return node
    return {
        name: change(name, value) if isinstance(value, str) else with_texts(value, change)
        for name, value in node.items()
    }


def named(payload: JsonPayload, text: str) -> JsonPayload:
    """The payload with this text for every name; ids, codes and statuses stay."""
    return with_texts(payload, lambda name, old: text if name in _NAMES else old)


def identified(payload: JsonPayload, text: object) -> JsonPayload:
    """The payload with this value for every text but names and routing."""
    return with_texts(payload, lambda name, old: old if name in _NAMES | ROUTING else text)


def _left(members: dict[str, Any], name: str) -> dict[str, Any]:
    return {other: value for other, value in members.items() if other != name}


def _inside(node: JsonPayload, kind: type, *, top: bool = True) -> JsonPayload:
    """The node with everything of one kind emptied, but for the payload and its entries."""
    if isinstance(node, kind) and not top:
        return kind()
    if isinstance(node, dict):
        return {name: _inside(value, kind, top=False) for name, value in node.items()}
    if isinstance(node, list):
        return [_inside(value, kind, top=top) for value in node]
    return node
